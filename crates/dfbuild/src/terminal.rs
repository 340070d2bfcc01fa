//! A terminal for a command: what is typed into that of the user goes in, what comes out is shown there.
//!
//! The command never gets the user's own terminal: it could read what is typed after its end, or type itself (CVE-2017-5226).

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write};
use std::os::fd::{AsFd as _, OwnedFd};
use std::thread::{self, JoinHandle};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

/// The outer end of a terminal; the user's own is as it was when this goes.
pub(crate) struct Terminal {
    outer: OwnedFd,
    before: Option<Termios>,
    shown: Option<JoinHandle<()>>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // There is nobody left to tell.
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, before);
        }
    }
}

impl Terminal {
    /// Makes a terminal and returns its inner end.
    pub(crate) fn open() -> io::Result<(Terminal, OwnedFd)> {
        let outer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&outer)?;
        unlockpt(&outer)?;
        let name = ptsname(&outer, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let inner = open(name, flags, Mode::empty())?;
        let terminal = Terminal {
            outer,
            before: None,
            shown: None,
        };
        terminal.follow_size();
        Ok((terminal, inner))
    }

    /// Begins to hand on what comes out, and what is typed if the command is to have it.
    pub(crate) fn relay(&mut self, has_input: bool) -> io::Result<()> {
        let mut outer = File::from(self.outer.try_clone()?);
        self.shown = Some(thread::spawn(move || {
            // The end is an error here: the inner end is closed.
            let _ = copy(&mut outer, &mut io::stdout());
        }));
        if has_input {
            if io::stdin().is_terminal() {
                let before = tcgetattr(io::stdin())?;
                let mut raw = before.clone();
                raw.make_raw();
                tcsetattr(io::stdin(), OptionalActions::Drain, &raw)?;
                self.before = Some(before);
            }
            let mut outer = File::from(self.outer.try_clone()?);
            // It waits for the next key when the command has ended, and goes with this process.
            thread::spawn(move || copy(&mut io::stdin(), &mut outer));
        }
        Ok(())
    }

    /// Gives it the size of the user's own.
    pub(crate) fn follow_size(&self) {
        let own = tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stdin()));
        if let Ok(size) = own
            && tcgetwinsize(self.outer.as_fd()).is_ok_and(|known| known != size)
        {
            let _ = tcsetwinsize(self.outer.as_fd(), size);
        }
    }

    /// Waits until everything is shown.
    pub(crate) fn finish(mut self) {
        if let Some(shown) = self.shown.take() {
            let _ = shown.join();
        }
    }
}

/// Copies without waiting for a full buffer.
pub(crate) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(buffer.get(..length).unwrap_or_default())?;
        to.flush()?;
    }
}
