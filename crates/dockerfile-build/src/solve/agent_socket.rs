//! The socket of `RUN --mount=type=ssh`: one of our own, with the owner and mode that the mount asks for, that passes on to the agent.
//!
//! The agent's own socket belongs to whoever builds, and no other user of the image could connect to it (BuildKit
//! `session/sshforward` does the same).

use std::fs;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const NAME: &str = "agent";

/// A socket that is there until it is dropped.
#[derive(Debug)]
pub(super) struct AgentSocket {
    folder: tempfile::TempDir,
    is_over: Arc<AtomicBool>,
}

/// Who may connect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) mode: u32,
    /// User and group; ours without them.
    pub(super) owner: Option<(u32, u32)>,
}

impl AgentSocket {
    /// Listens in an empty folder.
    pub(super) fn listen(
        folder: tempfile::TempDir,
        agent: &Path,
        access: Access,
    ) -> io::Result<AgentSocket> {
        let path = folder.path().join(NAME);
        // A name of a socket has room for 107 bytes only, and a store may lie deep.
        let opened = fs::File::open(folder.path())?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd())).join(NAME);
        let listener = UnixListener::bind(short)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(access.mode))?;
        if let Some((user, group)) = access.owner {
            std::os::unix::fs::chown(&path, Some(user), Some(group))?;
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let (ended, agent) = (Arc::clone(&is_over), agent.to_owned());
        thread::spawn(move || serve(&listener, &agent, &ended));
        Ok(AgentSocket { folder, is_over })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join(NAME)
    }
}

impl Drop for AgentSocket {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener up, which then sees that it is over.
        if let Ok(opened) = fs::File::open(self.folder.path()) {
            let short = PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd())).join(NAME);
            let _ = UnixStream::connect(short);
        }
    }
}

fn serve(listener: &UnixListener, agent: &Path, is_over: &AtomicBool) {
    for client in listener.incoming() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let Ok(client) = client else { return };
        // Without an agent the client sees a closed connection, as with an agent that has ended.
        if let Ok(agent) = UnixStream::connect(agent) {
            thread::spawn(move || {
                let _ = pass_on(&client, &agent);
            });
        }
    }
}

fn pass_on(client: &UnixStream, agent: &UnixStream) -> io::Result<()> {
    let (mut from_client, mut to_agent) = (client.try_clone()?, agent.try_clone()?);
    let asking = thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_agent);
        let _ = to_agent.shutdown(Shutdown::Write);
    });
    let (mut from_agent, mut to_client) = (agent.try_clone()?, client.try_clone()?);
    let copied = io::copy(&mut from_agent, &mut to_client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = asking.join();
    copied.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[test]
    fn passes_on_and_has_the_mode_that_was_asked_for() {
        let place = tempfile::tempdir().unwrap();
        let agent = place.path().join("real");
        let listener = UnixListener::bind(&agent).unwrap();
        let answering = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut asked = [0; 4];
            client.read_exact(&mut asked).unwrap();
            client.write_all(&asked).unwrap();
        });
        let access = Access {
            mode: 0o640,
            owner: None,
        };
        let socket =
            AgentSocket::listen(tempfile::tempdir_in(place.path()).unwrap(), &agent, access)
                .unwrap();
        let mode = fs::metadata(socket.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let mut client = UnixStream::connect(socket.path()).unwrap();
        client.write_all(b"ping").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "ping");
        answering.join().unwrap();
        let path = socket.path();
        drop(socket);
        assert!(!path.exists());
    }
}
