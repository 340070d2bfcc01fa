//! The layer that a change of the image makes (BuildKit `util/overlay/overlay_linux.go`, `Changes`).

use std::collections::HashMap;
use std::io::{Read, Write};

use oci_image::layer::{
    Entry, Kind, LayerError, LayerPath, LayerWriter, Listing, Timestamp, clamp,
};

use super::upper::{Inode, Node};
use super::{Content, CopyError, FileSource, Upper};

const BUFFER: usize = 64 << 10;

/// The entries of a layer, in order, and where the content of each comes from.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    pub entries: Vec<(Entry, Content<'a>)>,
}

impl Changes<'_> {
    /// Writes the layer. Each file is opened when its turn comes, and read once.
    pub fn write<W: Write>(&self, mut writer: LayerWriter<W>) -> Result<(W, Listing), CopyError> {
        for (entry, content) in &self.entries {
            let mut reader = content.open()?;
            writer.append(entry, &mut reader).map_err(write_error)?;
        }
        writer.finish().map_err(write_error)
    }
}

fn write_error(error: LayerError) -> CopyError {
    match error {
        LayerError::File { path, source, .. } => CopyError::read(&path, source),
        LayerError::Size { path, .. } => CopyError::Changed { path },
        source => CopyError::Layer { source },
    }
}

impl<'a> Upper<'a> {
    /// Returns the layer: what is as it was is left out, directories above a change are listed, the root is not. Times later than
    /// `latest` are lowered to it.
    pub fn changes(self, latest: Option<i64>) -> Result<Changes<'a>, CopyError> {
        let mut making = Making {
            upper: &self,
            latest,
            listed: Vec::new(),
            above: Vec::new(),
            first_names: HashMap::new(),
        };
        for (path, node) in &self.nodes {
            if !path.is_root() {
                making.visit(path, *node)?;
            }
        }
        let listed = making.listed;
        let kept = listed.into_iter().filter(|candidate| candidate.is_listed);
        Ok(Changes {
            entries: kept
                .map(|candidate| (candidate.entry, candidate.content))
                .collect(),
        })
    }
}

struct Candidate<'a> {
    entry: Entry,
    content: Content<'a>,
    is_listed: bool,
}

struct Making<'u, 'a> {
    upper: &'u Upper<'a>,
    latest: Option<i64>,
    listed: Vec<Candidate<'a>>,
    /// The directories above the last path: numbers in `listed`, and whether each hides what is below.
    above: Vec<(usize, bool)>,
    /// The first listed name of each file.
    first_names: HashMap<usize, LayerPath>,
}

impl<'a> Making<'_, 'a> {
    fn visit(&mut self, path: &LayerPath, node: Node) -> Result<(), CopyError> {
        while let Some((number, _)) = self.above.last() {
            if self
                .listed
                .get(*number)
                .is_some_and(|directory| path.is_in(&directory.entry.path))
            {
                break;
            }
            self.above.pop();
        }
        let parent_hides = self.above.last().is_some_and(|(_, hides)| *hides);
        let number = match node {
            Node::Is(number) => number,
            Node::Gone => {
                if !parent_hides && self.upper.lower.get(path).is_some() {
                    self.list(Entry::whiteout(path.clone()), Content::None, true);
                }
                return Ok(());
            }
        };
        let Some(inode) = self.upper.inodes.get(number) else {
            return Ok(());
        };
        let mut entry = Entry {
            path: path.clone(),
            modified: self.time(inode.entry.modified),
            ..inode.entry.clone()
        };
        let is_changed = parent_hides || self.is_changed(&entry, inode)?;
        if let Kind::Directory { is_opaque } = &mut entry.kind {
            let lower = self.upper.lower.get(path);
            let is_hiding =
                inode.hides_lower && lower.is_some_and(|found| found.entry.kind.is_directory());
            *is_opaque = is_hiding && !parent_hides;
            let is_listed = is_changed || *is_opaque;
            self.list(entry, Content::None, is_listed);
            self.above.push((self.listed.len() - 1, inode.hides_lower));
            return Ok(());
        }
        if !is_changed {
            return Ok(());
        }
        if let Some(first) = self.first_names.get(&number) {
            entry.kind = Kind::HardLink {
                target: first.clone(),
            };
            self.list(entry, Content::None, true);
            return Ok(());
        }
        if matches!(entry.kind, Kind::File { .. }) {
            self.first_names.insert(number, path.clone());
        }
        self.list(entry, inode.content.clone(), true);
        Ok(())
    }

    /// Adds an entry; with a listed one all directories above it are listed.
    fn list(&mut self, entry: Entry, content: Content<'a>, is_listed: bool) {
        if is_listed {
            for (number, _) in self.above.iter().rev() {
                match self.listed.get_mut(*number) {
                    Some(directory) if !directory.is_listed => directory.is_listed = true,
                    _ => break,
                }
            }
        }
        self.listed.push(Candidate {
            entry,
            content,
            is_listed,
        });
    }

    fn time(&self, time: Timestamp) -> Timestamp {
        clamp(time, self.latest)
    }

    /// Reports whether an entry differs from what the image has there (`sameDirent`).
    fn is_changed(&self, entry: &Entry, inode: &Inode<'_>) -> Result<bool, CopyError> {
        let Some(found) = self.upper.lower.get(&entry.path) else {
            return Ok(true);
        };
        let Some(file) = self.upper.lower.file_of(found) else {
            return Ok(true);
        };
        let below = found.entry;
        let owner = |entry: &Entry| (entry.mode, entry.uid, entry.gid);
        if owner(below) != owner(entry) || below.capability() != entry.capability() {
            return Ok(true);
        }
        if entry.kind.is_directory() || file.entry.kind.is_directory() {
            return Ok(entry.kind.is_directory() != file.entry.kind.is_directory());
        }
        if self.time(below.modified) != entry.modified || file.entry.kind != entry.kind {
            return Ok(true);
        }
        if !matches!(entry.kind, Kind::File { size: 1.. }) {
            return Ok(false);
        }
        let Some(files) = self.upper.lower_files else {
            return Ok(true);
        };
        Ok(!has_same_bytes(files, &entry.path, &inode.content)?)
    }
}

fn has_same_bytes(
    files: &dyn FileSource,
    path: &LayerPath,
    content: &Content<'_>,
) -> Result<bool, CopyError> {
    let Some(below) = files.lookup(path)? else {
        return Ok(false);
    };
    let mut below = files.open(&below)?;
    let mut new = content.open()?;
    let (mut one, mut other) = (vec![0; BUFFER], vec![0; BUFFER]);
    loop {
        let count = fill(&mut below, &mut one).map_err(|error| CopyError::read(path, error))?;
        let other_count =
            fill(&mut new, &mut other).map_err(|error| CopyError::read(path, error))?;
        if one.get(..count) != other.get(..other_count) {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
        match reader.read(space) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
