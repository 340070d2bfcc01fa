//! The server as a process, over standard input and output.

mod builds;
mod client;

mod features;
mod images;
mod life;
mod order;
mod robustness;
