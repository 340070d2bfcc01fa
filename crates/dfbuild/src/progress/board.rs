//! What a terminal shows of a build: lines that stay, and below them the steps that run.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dockerfile_build::{Event, Progress, StepId, StepState, Stream};
use dockerfile_report::visible;

use super::bytes;
use super::lines::Lines;
use super::plain::amount;
use super::styled_line::{Style, StyledLine};

/// How many lines of output a running step shows.
const TAIL: usize = 6;
/// How many transfers a running step shows.
const BARS: usize = 6;

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Done,
    Failed,
    Cancelled,
}

/// The state of a build, as events tell it. Times are those since the build began.
#[derive(Default)]
pub(crate) struct Board {
    explains: bool,
    titles: BTreeMap<StepId, String>,
    running: BTreeMap<StepId, Running>,
    ended: usize,
    cached: usize,
    /// What stays and has not been printed yet.
    lasting: Vec<StyledLine>,
}

struct Running {
    start: Duration,
    output: Lines,
    errors: Lines,
    tail: VecDeque<String>,
    transfers: BTreeMap<String, Progress>,
}

impl Board {
    pub(crate) fn new(explains: bool) -> Board {
        Board {
            explains,
            ..Board::default()
        }
    }

    pub(crate) fn event(&mut self, event: Event, now: Duration) {
        match event {
            Event::Planned { steps } => {
                for (step, title, _) in steps {
                    self.titles.insert(step, visible(&title).into_owned());
                }
            }
            Event::Started { step, name, .. } => {
                self.titles
                    .entry(step)
                    .or_insert_with(|| visible(&name).into_owned());
                self.running(step, now);
            }
            Event::Output {
                step,
                stream,
                bytes,
            } => {
                let running = self.running(step, now);
                let tail = &mut running.tail;
                let lines = match stream {
                    Stream::Output => &mut running.output,
                    Stream::Error => &mut running.errors,
                };
                lines.feed(&bytes, &mut |line| {
                    if tail.len() == TAIL {
                        tail.pop_front();
                    }
                    tail.push_back(line.to_owned());
                });
            }
            Event::Progress {
                step,
                what,
                progress,
            } => {
                let running = self.running(step, now);
                running.transfers.insert(what, progress);
            }
            Event::Warning { message, .. } => {
                let mut line = StyledLine::default();
                line.push(Style::Yellow, "warning: ");
                line.push(Style::Plain, &visible(&message));
                self.lasting.push(line);
            }
            Event::Finished {
                step,
                state,
                duration,
                size,
                reason,
            } => {
                self.running.remove(&step);
                self.finish(step, &state, duration, size);
                if let Some(reason) = reason.filter(|_| self.explains) {
                    let text = format!("    it ran because {}", visible(&reason));
                    self.lasting.push(StyledLine::new(Style::Dim, &text));
                }
            }
            _ => {}
        }
    }

    fn running(&mut self, step: StepId, now: Duration) -> &mut Running {
        self.titles.entry(step).or_default();
        self.running.entry(step).or_insert_with(|| Running {
            start: now,
            output: Lines::default(),
            errors: Lines::default(),
            tail: VecDeque::new(),
            transfers: BTreeMap::new(),
        })
    }

    fn finish(&mut self, step: StepId, state: &StepState, time: Duration, size: Option<u64>) {
        self.ended += 1;
        let (style, mark) = match state {
            StepState::Cached => {
                self.cached += 1;
                (Style::Blue, "CACHED ")
            }
            StepState::Done => (Style::Blue, ""),
            StepState::Cancelled => (Style::Yellow, "CANCELED "),
            StepState::Failed(_) => (Style::Red, "ERROR "),
        };
        let title = self.titles.get(&step).map_or("", String::as_str);
        let mut line = StyledLine::new(style, &format!(" => {mark}{title}"));
        let size = match (state, size.unwrap_or_default()) {
            (StepState::Done, 1..) => format!("{}  ", bytes(size.unwrap_or_default())),
            _ => String::new(),
        };
        line.end_with(style, &format!("{size}{}", seconds(time)));
        self.lasting.push(line);
    }

    /// Takes the lines that stay.
    pub(crate) fn take_lasting(&mut self) -> Vec<StyledLine> {
        std::mem::take(&mut self.lasting)
    }

    /// Returns the lines that change: fewer than the terminal has rows.
    pub(crate) fn live(&self, now: Duration, size: Size) -> Vec<StyledLine> {
        let total = self.titles.len().max(self.ended);
        let steps = format!("{}/{total}", self.ended);
        let mut lines = vec![self.headline("Building", now, &steps)];
        let room = size.rows.saturating_sub(2).max(1);
        let shown = room.min(self.running.len());
        let hidden = self.running.len() - shown;
        // One line for each step, and what is left for their output, in equal shares.
        let each = room
            .saturating_sub(shown + usize::from(hidden > 0))
            .checked_div(shown)
            .unwrap_or(0);
        for (step, running) in self.running.iter().take(shown) {
            let title = self.titles.get(step).map_or("", String::as_str);
            let mut line = StyledLine::new(Style::Plain, &format!(" => {title}"));
            line.end_with(Style::Plain, &seconds(now.saturating_sub(running.start)));
            lines.push(line);
            lines.extend(running.details(each, size.columns));
        }
        if hidden > 0 {
            let text = format!(" => … and {hidden} more");
            lines.push(StyledLine::new(Style::Dim, &text));
        }
        lines.truncate(size.rows.saturating_sub(1).max(1));
        lines
    }

    /// Returns the line that stays at the end.
    pub(crate) fn summary(&self, now: Duration, ending: Ending) -> StyledLine {
        let word = match ending {
            Ending::Done => "Done in",
            Ending::Failed => "Failed after",
            Ending::Cancelled => "Canceled after",
        };
        // Steps that nobody had to look at do not count.
        let steps = match self.ended {
            1 => "1 step".to_owned(),
            count => format!("{count} steps"),
        };
        self.headline(word, now, &steps)
    }

    fn headline(&self, word: &str, now: Duration, steps: &str) -> StyledLine {
        let cached = match self.cached {
            0 => String::new(),
            count => format!(", {count} cached"),
        };
        let text = format!("[+] {word} {} ({steps}{cached})", seconds(now));
        StyledLine::new(Style::Plain, &text)
    }
}

impl Running {
    /// Returns bars and the end of the output, at most as many lines as there is room for.
    fn details(&self, room: usize, columns: usize) -> Vec<StyledLine> {
        let open = |progress: &Progress| progress.total == 0 || progress.done < progress.total;
        let mut lines: Vec<StyledLine> = self
            .transfers
            .iter()
            .filter(|(_, progress)| open(progress))
            .take(BARS.min(room))
            .map(|(what, progress)| bar(what, *progress, columns))
            .collect();
        let unfinished = [&self.output, &self.errors]
            .into_iter()
            .filter_map(Lines::unfinished);
        let all: Vec<String> = self.tail.iter().cloned().chain(unfinished).collect();
        let count = TAIL.min(room.saturating_sub(lines.len()));
        for line in all.get(all.len().saturating_sub(count)..).unwrap_or(&[]) {
            lines.push(StyledLine::new(Style::Dim, &format!(" => => # {line}")));
        }
        lines
    }
}

fn bar(what: &str, progress: Progress, columns: usize) -> StyledLine {
    let mut line = StyledLine::new(Style::Dim, &format!(" => => {} ", visible(what)));
    let width = (columns / 4).min(30);
    if progress.total > 0 && width >= 8 {
        let share = u128::from(progress.done) * width as u128 / u128::from(progress.total);
        let filled = usize::try_from(share).unwrap_or(width).min(width);
        line.push(Style::Blue, &"█".repeat(filled));
        line.push(Style::Dim, &"░".repeat(width - filled));
        line.push(Style::Plain, " ");
    }
    line.push(Style::Plain, &amount(progress));
    line
}

fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    match whole {
        0..60 => format!("{:.1}s", time.as_secs_f64()),
        60..3600 => format!("{}m{:02}s", whole / 60, whole % 60),
        _ => format!("{}h{:02}m", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use dockerfile_source::TextRange;

    use super::*;

    const SIZE: Size = Size {
        columns: 60,
        rows: 12,
    };

    fn board() -> Board {
        let mut board = Board::new(true);
        let range = TextRange::empty(0.into());
        let steps = ["FROM a", "[1/3] RUN make", "[2/3] RUN test", "[3/3] COPY"];
        board.event(
            Event::Planned {
                steps: (0..)
                    .map(StepId)
                    .zip(steps)
                    .map(|(step, title)| (step, title.to_owned(), range))
                    .collect(),
            },
            Duration::ZERO,
        );
        for step in [1, 2] {
            board.event(
                Event::Started {
                    step: StepId(step),
                    name: String::new(),
                    range,
                },
                Duration::from_millis(500),
            );
        }
        board
    }

    fn print(bytes: &[u8]) -> Event {
        Event::Output {
            step: StepId(1),
            stream: Stream::Output,
            bytes: bytes.to_vec(),
        }
    }

    fn finished(step: u32, state: StepState) -> Event {
        Event::Finished {
            step: StepId(step),
            state,
            duration: Duration::from_millis(1250),
            size: Some(2_000_000),
            reason: None,
        }
    }

    fn texts(lines: &[StyledLine]) -> Vec<String> {
        lines
            .iter()
            .map(|line| line.render(SIZE.columns, false))
            .collect()
    }

    fn live(board: &Board, rows: usize) -> Vec<String> {
        texts(&board.live(Duration::from_secs(2), Size { rows, ..SIZE }))
    }

    #[test]
    fn running_steps_show_the_end_of_their_output() {
        let mut board = board();
        for line in 1..=9 {
            board.event(
                print(format!("line \x1b[31m{line}\n").as_bytes()),
                Duration::ZERO,
            );
        }
        board.event(print(b"10%\r20%"), Duration::ZERO);
        assert_eq!(
            live(&board, 14),
            [
                "[+] Building 2.0s (0/4)",
                " => [1/3] RUN make                                      1.5s",
                " => => # line 6",
                " => => # line 7",
                " => => # line 8",
                " => => # line 9",
                " => => # 20%",
                " => [2/3] RUN test                                      1.5s",
            ]
        );
    }

    #[test]
    fn what_changes_never_fills_the_terminal() {
        let mut board = board();
        for line in 1..=9 {
            board.event(print(format!("{line}\n").as_bytes()), Duration::ZERO);
        }
        for rows in 1..20 {
            assert!(
                live(&board, rows).len() <= rows.saturating_sub(1).max(1),
                "{rows}"
            );
        }
    }

    #[test]
    fn transfers_have_bars() {
        let mut board = board();
        board.event(
            Event::Progress {
                step: StepId(0),
                what: "sha256:abc".to_owned(),
                progress: Progress {
                    done: 5_000_000,
                    total: 10_000_000,
                },
            },
            Duration::from_secs(1),
        );
        assert_eq!(
            live(&board, 12).get(2).map(String::as_str),
            Some(" => => sha256:abc ███████░░░░░░░░ 5.0 MB / 10.0 MB")
        );
    }

    #[test]
    fn steps_that_end_stay() {
        let mut board = board();
        board.event(finished(1, StepState::Done), Duration::from_secs(2));
        board.event(finished(3, StepState::Cached), Duration::from_secs(2));
        assert_eq!(
            texts(&board.take_lasting()),
            [
                " => [1/3] RUN make                              2.0 MB  1.2s",
                " => CACHED [3/3] COPY                                   1.2s",
            ]
        );
        assert!(board.take_lasting().is_empty());
        assert_eq!(
            live(&board, 12),
            [
                "[+] Building 2.0s (2/4, 1 cached)",
                " => [2/3] RUN test                                      1.5s",
            ]
        );
    }

    #[test]
    fn long_times_are_minutes() {
        assert_eq!(seconds(Duration::from_secs(125)), "2m05s");
        assert_eq!(seconds(Duration::from_secs(7260)), "2h01m");
    }
}
