//! What `RUN --mount` puts into the sandbox.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::thread::Scope;

use build_sandbox::{Mount, MountSource, Writes};
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, mkdirat, openat};
use rustix::io::Errno;

use super::Solver;
use super::agent_socket::{Access, AgentSocket};
use super::keys::Selection;
use crate::error::{BuildError, Failure};
use crate::files::ChainFiles;
use crate::key::{Key, KeyMaker};
use crate::plan::{CacheSharing, From, MountKind, RunMount};

/// Makes a folder of a cache where there is none. A link on the way is refused: commands of earlier steps wrote it, and one that runs
/// now may put it there at any moment, so each folder is reached through the one above (CVE-2024-23651, CVE-2024-45310).
fn make_folder_beneath(cache: &Path, source: &str) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut folder = openat(CWD, cache, flags | OFlags::DIRECTORY, Mode::empty())?;
    let parts = Path::new(source.trim_start_matches('/')).components();
    for part in parts.filter(|part| matches!(part, Component::Normal(_))) {
        let name = part.as_os_str();
        match mkdirat(&folder, name, Mode::from_raw_mode(0o755)) {
            Err(Errno::EXIST) => {}
            // What is above is a file.
            other => other?,
        }
        folder = openat(&folder, name, flags, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&folder)?.st_mode).is_symlink() {
            return Err(io::Error::other("a link leads there"));
        }
    }
    Ok(())
}

/// The mounts of a RUN, and what has to stay until it has ended.
#[derive(Default)]
pub(super) struct Prepared {
    pub(super) mounts: Vec<Mount>,
    pub(super) variables: Vec<(String, String)>,
    /// Locks on caches that nobody else may use meanwhile.
    locks: Vec<fs::File>,
    folders: Vec<tempfile::TempDir>,
    agents: Vec<AgentSocket>,
}

impl Solver<'_> {
    pub(super) fn mounts<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        mounts: &[RunMount],
    ) -> Result<Prepared, BuildError> {
        let mut prepared = Prepared::default();
        for mount in mounts {
            self.mount(scope, mount, &mut prepared)
                .map_err(|error| error.at(mount.range, ""))?;
        }
        Ok(prepared)
    }

    fn mount<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        mount: &RunMount,
        prepared: &mut Prepared,
    ) -> Result<(), BuildError> {
        let target = PathBuf::from(&mount.target);
        match &mount.kind {
            MountKind::Bind {
                from,
                source,
                is_read_only,
            } => {
                let writes = if *is_read_only {
                    Writes::Denied
                } else {
                    let scratch = self.scratch_folder()?;
                    let path = scratch.path().to_owned();
                    prepared.folders.push(scratch);
                    Writes::Discarded { scratch: path }
                };
                prepared.mounts.push(Mount {
                    target,
                    source: self.bind_source(scope, from, source, writes)?,
                });
            }
            MountKind::Cache { .. } => self.cache_mount(scope, mount, prepared)?,
            MountKind::Tmpfs { size } => prepared.mounts.push(Mount {
                target,
                source: MountSource::Memory {
                    size: *size,
                    mode: 0o1777,
                },
            }),
            MountKind::Secret { .. } => self.secret_mount(mount, prepared)?,
            MountKind::Ssh { .. } => self.agent_mount(mount, prepared)?,
        }
        Ok(())
    }

    fn agent_mount(&self, mount: &RunMount, prepared: &mut Prepared) -> Result<(), BuildError> {
        let MountKind::Ssh {
            id,
            is_required,
            mode,
            uid,
            gid,
        } = &mount.kind
        else {
            return Ok(());
        };
        let agent = self.request.ssh.iter().find(|(name, _)| name == id);
        if agent.is_none() && *is_required {
            let message = format!("no agent was given for `{id}`");
            return Err(BuildError::new(Failure::Source, message)
                .help(format!("give it one: `--ssh {id}=SOCKET`")));
        }
        prepared
            .variables
            .push(("SSH_AUTH_SOCK".to_owned(), mount.target.clone()));
        let Some((_, agent)) = agent else {
            return Ok(());
        };
        let access = Access {
            mode: *mode,
            owner: (!self.layers.form().has_one_id).then_some((*uid, *gid)),
        };
        let socket = AgentSocket::listen(self.scratch_folder()?, agent, access)
            .map_err(|error| BuildError::system("cannot make a socket for the agent", &error))?;
        prepared.mounts.push(Mount {
            target: PathBuf::from(&mount.target),
            source: MountSource::Host {
                path: socket.path(),
                writes: Writes::Kept,
            },
        });
        prepared.agents.push(socket);
        Ok(())
    }

    /// Returns what a bind mount shows: the layers of a stage as they are, or a copy of what a context has there.
    fn bind_source<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        from: &From,
        source: &str,
        writes: Writes,
    ) -> Result<MountSource, BuildError> {
        if let From::Stage(stage) = from {
            let chain = self.stage(scope, *stage)?;
            let files = ChainFiles::new(self, &chain)?;
            // What is not there is told by the copy below, which knows what is like it.
            let is_there = crate::copy::resolve(&files, source.as_bytes())?.is_some();
            if is_there && !self.copies_layers() {
                return Ok(MountSource::Tree {
                    lowers: self.stackable(self.lowers(&chain)?)?,
                    path: inside(source),
                    writes,
                });
            }
        }
        let path = self.mounted_files(scope, from, source)?;
        if let Writes::Discarded { scratch } = &writes
            && self.copies_layers()
            && path.is_dir()
        {
            let copied = crate::plain_root::copy_layers(&[path], scratch);
            copied.map_err(|error| BuildError::system("cannot copy files for a mount", &error))?;
            return Ok(MountSource::Host {
                path: scratch.clone(),
                writes: Writes::Kept,
            });
        }
        Ok(MountSource::Host { path, writes })
    }

    /// Returns where files of a context or a stage can be mounted from.
    fn mounted_files<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        from: &From,
        source: &str,
    ) -> Result<PathBuf, BuildError> {
        let mut sources = super::contents::Making {
            solver: self,
            scope,
        };
        let digest = super::keys::Sources::digest(&mut sources, from, &Selection::of_path(source))?;
        let digest = digest.unwrap_or(Key::from([0; 32]));
        if let From::Stage(stage) = from {
            // A mount of a stage reads it, so it has to be there.
            self.stage(scope, *stage)?;
        }
        let mut maker = KeyMaker::new("mounted files");
        maker.add(digest.bytes()).add(source.as_bytes());
        let (key, _) = maker.finish();
        let layer = match self.known(key) {
            Some((_, layer)) => layer,
            None => self.folder_layer_of(scope, from, source, key)?,
        };
        let snapshot = self.layers.snapshot(&layer, self.store)?;
        let name = source
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or("");
        let file = snapshot.join("file").join(name);
        if !name.is_empty() && file.symlink_metadata().is_ok() {
            return Ok(file);
        }
        Ok(snapshot.join("folder"))
    }

    fn cache_mount<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        mount: &RunMount,
        prepared: &mut Prepared,
    ) -> Result<(), BuildError> {
        let MountKind::Cache {
            id,
            sharing,
            from,
            source,
            is_read_only,
            mode,
            uid,
            gid,
        } = &mount.kind
        else {
            return Ok(());
        };
        // The id is hashed, so that it can never be a path (CVE-2024-9675).
        let mut maker = KeyMaker::new("cache mount");
        maker
            .add(id.as_bytes())
            .add(&mode.to_le_bytes())
            .add(&uid.to_le_bytes())
            .add(&gid.to_le_bytes());
        if let Some(from) = from {
            maker
                .add(format!("{from:?}").as_bytes())
                .add(source.as_bytes());
        }
        let name = maker.finish().0.hex();
        let root = self.request.store.join("mounts");
        let system = |error: io::Error| {
            BuildError::system("cannot make a cache for `--mount=type=cache`", &error)
        };
        let mut folder = root.join(&name);
        fs::create_dir_all(&folder).map_err(system)?;
        if *sharing != CacheSharing::Shared {
            let lock = fs::File::create(folder.join("lock")).map_err(system)?;
            match sharing {
                CacheSharing::Locked => lock.lock().map_err(system)?,
                _ => {
                    if lock.try_lock().is_err() {
                        // Somebody has the private one: this step gets one of its own, empty.
                        let own = self.scratch_folder()?;
                        own.path().clone_into(&mut folder);
                        prepared.folders.push(own);
                    }
                }
            }
            prepared.locks.push(lock);
        }
        let data = folder.join("data");
        if !data.is_dir() {
            self.fill_cache(scope, from.as_ref(), source, &data)?;
            fs::set_permissions(&data, fs::Permissions::from_mode(*mode)).map_err(system)?;
            if !self.layers.form().has_one_id {
                std::os::unix::fs::chown(&data, Some(*uid), Some(*gid)).map_err(system)?;
            }
        }
        let path = match from {
            None => {
                make_folder_beneath(&data, source).map_err(|error| {
                    let message = format!("cannot mount `{source}` of the cache: {error}");
                    BuildError::new(Failure::Source, message).at(mount.range, "")
                })?;
                inside(source)
            }
            Some(_) => PathBuf::new(),
        };
        prepared.mounts.push(Mount {
            target: PathBuf::from(&mount.target),
            source: MountSource::Tree {
                lowers: vec![data],
                path,
                writes: if *is_read_only {
                    Writes::Denied
                } else {
                    Writes::Kept
                },
            },
        });
        Ok(())
    }

    fn fill_cache<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        from: Option<&From>,
        source: &str,
        data: &Path,
    ) -> Result<(), BuildError> {
        let system = |error: io::Error| BuildError::system("cannot fill a cache mount", &error);
        let Some(from) = from else {
            return fs::DirBuilder::new()
                .mode(0o755)
                .recursive(true)
                .create(data)
                .map_err(system);
        };
        let files = self.mounted_files(scope, from, source)?;
        copy_tree(&files, data).map_err(system)
    }

    fn secret_mount(&self, mount: &RunMount, prepared: &mut Prepared) -> Result<(), BuildError> {
        let MountKind::Secret {
            id,
            variable,
            is_file,
            is_required,
            mode,
            uid,
            gid,
        } = &mount.kind
        else {
            return Ok(());
        };
        let Some(secret) = self.request.secrets.iter().find(|secret| secret.id == *id) else {
            if !is_required {
                return Ok(());
            }
            return Err(
                BuildError::new(Failure::Source, format!("no secret `{id}` was given")).help(
                    format!("give it: `--secret id={id},src=FILE` or `--secret id={id},env=NAME`"),
                ),
            );
        };
        if let Some(variable) = variable {
            let text = String::from_utf8_lossy(&secret.value).into_owned();
            prepared.variables.push((variable.clone(), text));
        }
        if *is_file {
            prepared.mounts.push(Mount {
                target: PathBuf::from(&mount.target),
                source: MountSource::Text {
                    content: secret.value.clone(),
                    mode: *mode,
                    user: *uid,
                    group: *gid,
                },
            });
        }
        Ok(())
    }

    pub(crate) fn scratch_folder(&self) -> Result<tempfile::TempDir, BuildError> {
        tempfile::tempdir_in(self.store.temporary_folder()).map_err(|error| {
            BuildError::new(
                Failure::System,
                format!("cannot make a folder in the store: {error}"),
            )
        })
    }
}

/// Returns a path of a source as one below it.
fn inside(source: &str) -> PathBuf {
    PathBuf::from(source.trim_start_matches('/'))
}

/// Copies folders and files; what a cache starts with.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut open = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = open.pop() {
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            let kind = entry.file_type()?;
            if kind.is_dir() {
                fs::create_dir_all(&target)?;
                fs::set_permissions(&target, entry.metadata()?.permissions())?;
                open.push((source, target));
            } else if kind.is_symlink() {
                std::os::unix::fs::symlink(fs::read_link(&source)?, &target)?;
            } else if kind.is_file() {
                fs::copy(&source, &target)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_folder_that_turns_into_a_link_meanwhile_leads_nowhere() {
        let place = tempfile::tempdir().unwrap();
        let (cache, outside) = (place.path().join("cache"), place.path().join("outside"));
        fs::create_dir_all(cache.join("real")).unwrap();
        fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, cache.join("link")).unwrap();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    for name in ["real", "link"] {
                        let (there, here) = (cache.join(name), cache.join("way"));
                        let _ = fs::rename(&there, &here);
                        let _ = fs::rename(&here, &there);
                    }
                }
            });
            for number in 0..3000 {
                let _ = make_folder_beneath(&cache, &format!("way/new{number}"));
            }
            is_over.store(true, Ordering::Relaxed);
        });
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }

    #[test]
    fn folders_are_made_and_those_that_are_there_stay() {
        let cache = tempfile::tempdir().unwrap();
        fs::create_dir(cache.path().join("a")).unwrap();
        fs::write(cache.path().join("a/file"), "kept").unwrap();
        for source in ["/a/b/c", "a/b", "../a/./d", "a/file", ""] {
            make_folder_beneath(cache.path(), source).unwrap();
        }
        assert!(cache.path().join("a/b/c").is_dir() && cache.path().join("a/d").is_dir());
        assert!(cache.path().join("a/file").is_file());
        assert!(make_folder_beneath(cache.path(), "a/file/below").is_err());
    }
}
