//! A few threads for work that takes longer than a message.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that take jobs in the order in which they come.
pub(crate) struct WorkerPool {
    jobs: Sender<Job>,
}

impl WorkerPool {
    pub(crate) fn new(count: usize) -> WorkerPool {
        let (jobs, receiver) = channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..count {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || work(&receiver));
        }
        WorkerPool { jobs }
    }

    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        // The threads live as long as the sender.
        let _ = self.jobs.send(Box::new(job));
    }
}

fn work(receiver: &Mutex<Receiver<Job>>) {
    loop {
        let job = {
            let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
            receiver.recv()
        };
        let Ok(job) = job else { return };
        // A fault in one feature must not take the others along: its answer is dropped, which the asker sees.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}
