//! Progress on a terminal: the board, painted ten times a second at most, one write a frame.
//!
//! Lines that stay scroll up and are never touched again; only the few lines of running steps are painted anew. The cursor always
//! stands at the start of the line below them, so that nothing needs to be put back when the program is interrupted.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dockerfile_build::{Event, Observer};

use super::board::{Board, Ending, Size};

/// The time between two frames.
const FRAME: Duration = Duration::from_millis(100);
const USUAL: Size = Size {
    columns: 80,
    rows: 24,
};

/// Draws to standard error.
pub(crate) struct Terminal {
    shared: Arc<Shared>,
    painter: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    start: Instant,
    state: Mutex<State>,
    ends: Condvar,
}

struct State {
    board: Board,
    color: bool,
    is_over: bool,
    /// The widths of the lines that were painted last.
    painted: Vec<usize>,
}

impl Terminal {
    pub(crate) fn new(explains: bool, color: bool) -> Terminal {
        let shared = Arc::new(Shared {
            start: Instant::now(),
            state: Mutex::new(State {
                board: Board::new(explains),
                color,
                is_over: false,
                painted: Vec::new(),
            }),
            ends: Condvar::new(),
        });
        let painter = Arc::clone(&shared);
        let painter = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(move || painter.paint());
        Terminal {
            shared,
            // Without a painter, what stays is still printed at the end.
            painter: Mutex::new(painter.ok()),
        }
    }

    /// Paints for the last time: what stays, and how it ended.
    pub(crate) fn end(&self, ending: Ending) {
        self.stop();
        let mut state = self.shared.lock();
        let summary = state.board.summary(self.shared.start.elapsed(), ending);
        let size = terminal_size();
        let mut frame = state.frame(&[], size);
        let _ = writeln!(frame, "{}", summary.render(size.columns, state.color));
        write(&frame);
    }

    /// Takes away what was painted.
    pub(crate) fn give_up(&self) {
        self.stop();
        let mut state = self.shared.lock();
        state.board.take_lasting();
        write(&state.frame(&[], terminal_size()));
    }

    fn stop(&self) {
        let painter = self
            .painter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.shared.lock().is_over = true;
        self.shared.ends.notify_all();
        if let Some(painter) = painter {
            let _ = painter.join();
        }
    }
}

impl Observer for Terminal {
    fn event(&self, event: Event) {
        let now = self.shared.start.elapsed();
        self.shared.lock().board.event(event, now);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Paints until it is over.
    fn paint(&self) {
        let mut state = self.lock();
        while !state.is_over {
            let waited = self.ends.wait_timeout(state, FRAME);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.is_over {
                return;
            }
            let size = terminal_size();
            let live: Vec<String> = state
                .board
                .live(self.start.elapsed(), size)
                .iter()
                .map(|line| line.render(size.columns.saturating_sub(1), state.color))
                .collect();
            let frame = state.frame(&live, size);
            // A terminal that somebody holds with Ctrl-S must not hold the build.
            drop(state);
            write(&frame);
            state = self.lock();
        }
    }
}

impl State {
    /// Returns what takes the terminal from the last frame to this one.
    fn frame(&mut self, live: &[String], size: Size) -> String {
        let mut frame = String::new();
        let up = rows_of(&self.painted, size.columns);
        if up > 0 {
            let _ = write!(frame, "\x1b[{up}A\r");
        }
        for line in self.board.take_lasting() {
            let text = line.render(size.columns.saturating_sub(1), self.color);
            let _ = writeln!(frame, "{text}\x1b[K");
        }
        for line in live {
            let _ = writeln!(frame, "{line}\x1b[K");
        }
        if up > 0 {
            frame.push_str("\x1b[J");
        }
        self.painted = live.iter().map(|line| shown_width(line)).collect();
        frame
    }
}

/// Returns how many rows lines take; they wrap when the terminal has become narrower since.
fn rows_of(widths: &[usize], columns: usize) -> usize {
    widths
        .iter()
        .map(|width| width.div_ceil(columns.max(1)).max(1))
        .sum()
}

/// Returns how many columns a rendered line takes.
fn shown_width(line: &str) -> usize {
    let mut rest = line;
    let mut total = 0;
    while let Some((before, after)) = rest.split_once('\x1b') {
        total += super::styled_line::width(before);
        rest = after.split_once('m').map_or("", |(_, behind)| behind);
    }
    total + super::styled_line::width(rest)
}

fn terminal_size() -> Size {
    match rustix::termios::tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size {
            columns: size.ws_col.into(),
            rows: size.ws_row.into(),
        },
        _ => USUAL,
    }
}

fn write(frame: &str) {
    // A terminal that is gone is nobody's loss; the build goes on.
    let _ = io::stderr().write_all(frame.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            board: Board::new(false),
            color: false,
            is_over: false,
            painted: Vec::new(),
        }
    }

    #[test]
    fn a_frame_goes_up_over_the_last_one() {
        let mut state = state();
        let lines = ["one".to_owned(), "two".to_owned()];
        assert_eq!(state.frame(&lines, USUAL), "one\x1b[K\ntwo\x1b[K\n");
        assert_eq!(
            state.frame(&lines[..1], USUAL),
            "\x1b[2A\rone\x1b[K\n\x1b[J"
        );
        assert_eq!(state.frame(&[], USUAL), "\x1b[1A\r\x1b[J");
    }

    #[test]
    fn lines_that_wrap_after_a_resize_are_counted() {
        let mut state = state();
        state.frame(&["x".repeat(70), "y".to_owned()], USUAL);
        let narrow = Size {
            columns: 30,
            rows: 24,
        };
        assert!(state.frame(&[], narrow).starts_with("\x1b[4A\r"));
    }

    #[test]
    fn colours_take_no_room() {
        assert_eq!(shown_width("\x1b[34m => a\x1b[0m b"), 7);
    }
}
