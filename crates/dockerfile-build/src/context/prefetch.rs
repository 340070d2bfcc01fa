//! Looking at many files at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use oci_image::layer::LayerPath;

use super::Context;
use crate::copy::{CopyError, SourceEntry};

/// More threads wait for one another: the kernel's caches are the limit.
const THREADS: usize = 2;
/// Below this a thread costs more than it brings.
const WORTH_A_THREAD: usize = 16;

/// Does something with each file, by several threads; the first error in order counts.
pub(super) fn in_parallel<T: Send + Clone + Default>(
    files: &[&SourceEntry],
    work: impl Fn(&SourceEntry) -> Result<T, CopyError> + Sync,
) -> Result<Vec<T>, CopyError> {
    if files.len() < WORTH_A_THREAD {
        return files.iter().map(|file| work(file)).collect();
    }
    let next = AtomicUsize::new(0);
    let one_thread = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(number) else {
                return (done, None);
            };
            match work(file) {
                Ok(result) => done.push((number, result)),
                Err(error) => {
                    next.store(files.len(), Ordering::Relaxed);
                    return (done, Some((number, error)));
                }
            }
        }
    };
    let parts = run_by_threads(one_thread);
    let mut results = vec![T::default(); files.len()];
    let mut first_error: Option<(usize, CopyError)> = None;
    for (done, error) in parts {
        for (number, result) in done {
            if let Some(slot) = results.get_mut(number) {
                *slot = result;
            }
        }
        if let Some((number, error)) = error
            && first_error
                .as_ref()
                .is_none_or(|(other, _)| number < *other)
        {
            first_error = Some((number, error));
        }
    }
    first_error.map_or(Ok(results), |(_, error)| Err(error))
}

/// Reads all directories below one, by several threads. They stay in the context.
pub(super) fn read_below(context: &Context, directory: &LayerPath) -> Result<(), CopyError> {
    let queue = Queue {
        state: Mutex::new((vec![directory.clone()], 0)),
        changed: Condvar::new(),
    };
    let one_thread = || {
        let mut result = Ok(());
        while let Some(directory) = queue.take() {
            let below = context.directory(&directory).map(|found| {
                let paths = found.entries().iter().map(|seen| &seen.found.entry);
                paths
                    .filter(|entry| entry.kind.is_directory())
                    .map(|entry| entry.path.clone())
                    .collect()
            });
            match below {
                Ok(below) => queue.put(below),
                Err(error) => {
                    queue.stop();
                    result = Err(error);
                }
            }
        }
        result
    };
    run_by_threads(one_thread).into_iter().collect()
}

fn run_by_threads<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..THREADS).map(|_| scope.spawn(&work)).collect();
        let mut results = vec![work()];
        results.extend(others.into_iter().filter_map(|other| other.join().ok()));
        results
    })
}

/// Directories to be read, and how many are being read just now.
struct Queue {
    state: Mutex<(Vec<LayerPath>, usize)>,
    changed: Condvar,
}

impl Queue {
    /// Returns the next directory; `None` when there will be no more.
    fn take(&self) -> Option<LayerPath> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(next) = state.0.pop() {
                state.1 += 1;
                return Some(next);
            }
            if state.1 == 0 {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Adds what was found in a directory that was taken.
    fn put(&self, below: Vec<LayerPath>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.extend(below);
        state.1 = state.1.saturating_sub(1);
        if state.1 == 0 || !state.0.is_empty() {
            self.changed.notify_all();
        }
    }

    fn stop(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .clear();
        self.put(Vec::new());
    }
}
