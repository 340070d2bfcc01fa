//! Where files go (fsutil `copy/copy.go`, BuildKit `solver/llbsolver/file/backend.go`).

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use oci_image::layer::{Entry, Kind, LayerPath, Limits, Timestamp};

use super::archive::{self, Spool};
use super::{
    Content, CopyError, FileMode, FileSource, Item, Matched, SelectOptions, SourceEntry, Upper,
    select,
};

const NEW_DIRECTORY: u32 = 0o755;
const NEW_FILE: u32 = 0o644;

/// One COPY or ADD.
pub struct CopyRequest<'a> {
    pub sources: Vec<CopySource<'a>>,
    /// Absolute; a slash at the end says that a directory is meant.
    pub destination: Vec<u8>,
    pub chown: Option<(u32, u32)>,
    pub chmod: Option<FileMode>,
    pub options: SelectOptions,
    /// Where archives are unpacked to, before they are layers.
    pub temporary: PathBuf,
    /// How large an archive may become.
    pub limits: Limits,
}

/// What is copied.
pub enum CopySource<'a> {
    /// A path or pattern in a tree of files.
    Files {
        source: &'a dyn FileSource,
        path: String,
        unpacks: bool,
    },
    /// A file that stands in the Dockerfile.
    Inline { name: Vec<u8>, content: Arc<[u8]> },
    /// A file on the disk that nobody else writes to, such as a download.
    Disk {
        name: Vec<u8>,
        file: Arc<File>,
        mode: u32,
        modified: Timestamp,
        unpacks: bool,
    },
}

/// Copies the sources, in their order.
pub fn copy<'a>(upper: &mut Upper<'a>, request: &CopyRequest<'a>) -> Result<(), CopyError> {
    for source in &request.sources {
        match source {
            CopySource::Files {
                source,
                path,
                unpacks,
            } => {
                for matched in select(*source, path, &request.options)? {
                    Placing::new(upper, request).matched(*source, &matched, *unpacks)?;
                }
            }
            CopySource::Inline { name, content } => {
                let entry = Entry::file(
                    LayerPath::root(),
                    content.len() as u64,
                    NEW_FILE,
                    upper.moment(),
                );
                Placing::new(upper, request).file(
                    name,
                    entry,
                    Content::Inline(Arc::clone(content)),
                )?;
            }
            CopySource::Disk {
                name,
                file,
                mode,
                modified,
                unpacks,
            } => {
                let size = file
                    .metadata()
                    .map_err(|source| CopyError::Spool { source })?
                    .len();
                let content = Content::Disk {
                    file: Arc::clone(file),
                    offset: 0,
                    size,
                };
                let entry = Entry::file(LayerPath::root(), size, *mode, *modified);
                let mut placing = Placing::new(upper, request);
                if !*unpacks || !placing.unpacked(&content, &shown(name))? {
                    placing.file(name, entry, content)?;
                }
            }
        }
    }
    Ok(())
}

fn shown(name: &[u8]) -> LayerPath {
    LayerPath::clamped(name).unwrap_or_default()
}

/// One match of a source on its way into the image.
struct Placing<'u, 'a> {
    upper: &'u mut Upper<'a>,
    request: &'u CopyRequest<'a>,
    /// Where each file with several names went first.
    first_places: HashMap<(u64, u64), LayerPath>,
}

impl<'u, 'a> Placing<'u, 'a> {
    fn new(upper: &'u mut Upper<'a>, request: &'u CopyRequest<'a>) -> Placing<'u, 'a> {
        Placing {
            upper,
            request,
            first_places: HashMap::new(),
        }
    }

    fn matched(
        &mut self,
        source: &'a dyn FileSource,
        matched: &Matched,
        unpacks: bool,
    ) -> Result<(), CopyError> {
        let root = &matched.root;
        if !root.entry.kind.is_directory() {
            let content = content_of(source, root);
            if unpacks
                && matches!(root.entry.kind, Kind::File { .. })
                && self.unpacked(&content, &root.entry.path)?
            {
                return Ok(());
            }
            return self.file(&matched.name, root.entry.clone(), content);
        }
        let target = self.destination()?;
        match self.upper.get(&target) {
            Some(entry) if !entry.kind.is_directory() => {
                return Err(CopyError::NotDirectory { path: target });
            }
            _ => self.mkdir_all(&target)?,
        }
        let mut times = Vec::new();
        for item in &matched.items {
            self.item(source, &target, item, &mut times)?;
        }
        // What was put into a directory changed its time.
        for (path, time) in times {
            self.upper.change(&path, |entry| entry.modified = time)?;
        }
        Ok(())
    }

    /// Places a file that is named by itself: into a directory that exists, else as the destination.
    fn file(&mut self, name: &[u8], entry: Entry, content: Content<'a>) -> Result<(), CopyError> {
        let mut target = self.destination()?;
        if target.is_root()
            || self
                .upper
                .get(&target)
                .is_some_and(|entry| entry.kind.is_directory())
        {
            let name = LayerPath::clamped(name).unwrap_or_default();
            target = target.join(name.name()).ok_or_else(|| CopyError::BadPath {
                path: target.to_string(),
            })?;
        }
        self.mkdir_all(&target.parent().unwrap_or_default())?;
        self.leaf(&target, entry, content)
    }

    /// Makes what is above the destination, and returns where its links lead.
    fn destination(&mut self) -> Result<LayerPath, CopyError> {
        let destination = &self.request.destination;
        let directory_end = destination
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(0, |slash| slash + 1);
        let directory = self
            .upper
            .resolve(destination.get(..directory_end).unwrap_or_default())?;
        self.mkdir_all(&directory)?;
        self.upper.resolve(destination)
    }

    fn mkdir_all(&mut self, path: &LayerPath) -> Result<(), CopyError> {
        let mode = self
            .request
            .chmod
            .as_ref()
            .map_or(NEW_DIRECTORY, FileMode::of_new_directory);
        self.upper
            .mkdir_all(path, self.request.chown.unwrap_or_default(), mode)
    }

    fn item(
        &mut self,
        source: &'a dyn FileSource,
        target: &LayerPath,
        item: &Item,
        times: &mut Vec<(LayerPath, Timestamp)>,
    ) -> Result<(), CopyError> {
        let path = item.relative.below(target);
        if item.entry.entry.kind.is_directory() {
            return self.directory(&path, item, times);
        }
        if let Some(identity) = item
            .entry
            .identity
            .filter(|_| matches!(item.entry.entry.kind, Kind::File { .. }))
        {
            if let Some(first) = self.first_places.get(&identity).cloned() {
                self.refuse_directory(&path)?;
                return self.upper.link(&path, &first);
            }
            self.first_places.insert(identity, path.clone());
        }
        self.leaf(
            &path,
            item.entry.entry.clone(),
            content_of(source, &item.entry),
        )
    }

    /// A directory of the source makes one, or gives one that is there its metadata; one that is only the parent of something
    /// gives its mode.
    fn directory(
        &mut self,
        path: &LayerPath,
        item: &Item,
        times: &mut Vec<(LayerPath, Timestamp)>,
    ) -> Result<(), CopyError> {
        let mut entry = item.entry.entry.clone();
        let source_mode = entry.mode;
        self.set_metadata(&mut entry);
        match self.upper.get(path) {
            None => self.upper.make(path, entry.clone(), Content::None)?,
            Some(there) if !there.kind.is_directory() => {
                return Err(CopyError::NotDirectory { path: path.clone() });
            }
            Some(_) if item.is_included => self.upper.change(path, |there| {
                *there = Entry {
                    path: there.path.clone(),
                    kind: there.kind.clone(),
                    ..entry.clone()
                };
            })?,
            Some(_) => self.upper.change(path, |there| there.mode = source_mode)?,
        }
        if item.is_included {
            times.push((path.clone(), entry.modified));
        }
        Ok(())
    }

    fn leaf(
        &mut self,
        path: &LayerPath,
        mut entry: Entry,
        content: Content<'a>,
    ) -> Result<(), CopyError> {
        self.refuse_directory(path)?;
        self.set_metadata(&mut entry);
        self.upper.make(path, entry, content)
    }

    fn refuse_directory(&self, path: &LayerPath) -> Result<(), CopyError> {
        match self.upper.get(path) {
            Some(there) if there.kind.is_directory() => {
                Err(CopyError::IsDirectory { path: path.clone() })
            }
            _ => Ok(()),
        }
    }

    fn set_metadata(&self, entry: &mut Entry) {
        if let Some((uid, gid)) = self.request.chown {
            (entry.uid, entry.gid) = (uid, gid);
        }
        match (&entry.kind, &self.request.chmod) {
            (Kind::Symlink { .. }, _) => entry.mode = 0o777,
            (kind, Some(mode)) => entry.mode = mode.apply(entry.mode, kind.is_directory()),
            (_, None) => {}
        }
    }

    /// Unpacks an archive into the destination; `false` if it is none.
    fn unpacked(&mut self, content: &Content<'a>, name: &LayerPath) -> Result<bool, CopyError> {
        if !archive::is_archive(content)? {
            return Ok(false);
        }
        let target = self.upper.resolve(&self.request.destination)?;
        self.upper.mkdir_all(
            &target,
            self.request.chown.unwrap_or_default(),
            NEW_DIRECTORY,
        )?;
        let spool = Spool::new(&self.request.temporary)?;
        archive::unpack(
            self.upper,
            content,
            name,
            &target,
            self.request.chown,
            self.request.limits,
            spool,
        )?;
        Ok(true)
    }
}

fn content_of<'a>(source: &'a dyn FileSource, entry: &SourceEntry) -> Content<'a> {
    match entry.entry.kind {
        Kind::File { .. } => Content::of_source(source, entry),
        _ => Content::None,
    }
}
