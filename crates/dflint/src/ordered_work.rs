//! Work on many things in parallel, results in order.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// How many things a thread takes at a time.
const BATCH: usize = 16;
/// How many batches may be finished or in work ahead of the one whose turn it is: a bound for memory.
const MOST_AHEAD: usize = 64;
/// A thread starts with 2 MiB where the main one has 8; trees are walked with the same depth in both.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// Calls `work` with each number below `count`, on up to `jobs` threads, and `take` with the results in order.
///
/// Each thread makes a state for itself with `start`. `take` ends the whole by returning `Break`. Few things are done on
/// the calling thread.
pub(crate) fn work_in_order<S, R: Send>(
    count: usize,
    jobs: usize,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> R + Sync,
    mut take: impl FnMut(R) -> ControlFlow<()> + Send,
) {
    let batches = count.div_ceil(BATCH);
    let threads = jobs.min(batches);
    if threads <= 1 {
        let mut state = start();
        for index in 0..count {
            if take(work(&mut state, index)).is_break() {
                return;
            }
        }
        return;
    }
    let queue = Queue {
        state: Mutex::new(State {
            next_to_work: 0,
            next_to_take: 0,
            finished: BTreeMap::new(),
            is_stopped: false,
            take,
        }),
        moved_on: Condvar::new(),
        batches,
        count,
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            let started = thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, || queue.run(start(), &work));
            if started.is_err() {
                // The system has no more threads for us: this one does the work of all that are missing.
                queue.run(start(), &work);
                break;
            }
        }
    });
}

struct Queue<R, T> {
    state: Mutex<State<R, T>>,
    moved_on: Condvar,
    batches: usize,
    count: usize,
}

struct State<R, T> {
    next_to_work: usize,
    next_to_take: usize,
    // Invariant: no key is less than `next_to_take`.
    finished: BTreeMap<usize, Vec<R>>,
    is_stopped: bool,
    take: T,
}

impl<R: Send, T: FnMut(R) -> ControlFlow<()> + Send> Queue<R, T> {
    fn run<S>(&self, mut state: S, work: impl Fn(&mut S, usize) -> R) {
        while let Some((batch, indices)) = self.claim() {
            let results = indices.map(|index| work(&mut state, index)).collect();
            self.submit(batch, results);
        }
    }

    /// Returns the next batch, once it is not too far ahead of the others.
    fn claim(&self) -> Option<(usize, Range<usize>)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // The batch whose turn it is, is in work on a thread that does not wait here, so this ends.
        while !state.is_stopped && state.next_to_work >= state.next_to_take + MOST_AHEAD {
            state = self
                .moved_on
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let batch = state.next_to_work;
        if state.is_stopped || batch >= self.batches {
            return None;
        }
        state.next_to_work += 1;
        let start = batch * BATCH;
        Some((batch, start..(start + BATCH).min(self.count)))
    }

    /// Hands over results, and takes all those whose turn has come.
    fn submit(&self, batch: usize, results: Vec<R>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.finished.insert(batch, results);
        let state = &mut *state;
        while !state.is_stopped
            && let Some(results) = state.finished.remove(&state.next_to_take)
        {
            state.next_to_take += 1;
            for result in results {
                if (state.take)(result).is_break() {
                    state.is_stopped = true;
                    break;
                }
            }
        }
        self.moved_on.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    fn taken(count: usize, jobs: usize) -> Vec<usize> {
        let mut taken = Vec::new();
        let work = |(): &mut (), index: usize| {
            if index == 0 {
                thread::sleep(Duration::from_millis(20));
            }
            index
        };
        work_in_order(
            count,
            jobs,
            || (),
            work,
            |index| {
                taken.push(index);
                ControlFlow::Continue(())
            },
        );
        taken
    }

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        for (count, jobs) in [(0, 4), (1, 4), (BATCH, 1), (BATCH + 1, 4), (5000, 3)] {
            assert_eq!(taken(count, jobs), (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn stops_soon_after_a_break() {
        let worked = AtomicUsize::new(0);
        let mut taken = 0;
        work_in_order(
            1_000_000,
            4,
            || (),
            |(), _| worked.fetch_add(1, Ordering::Relaxed),
            |_| {
                taken += 1;
                if taken == 100 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        assert_eq!(taken, 100);
        assert!(worked.load(Ordering::Relaxed) < 10_000);
    }
}
