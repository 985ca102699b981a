//! The file that holds the mark of an account: two lines, written in turn.
//!
//! A write replaces the older line. A process that dies amid it, and one that reads at the same moment, still
//! find the other line whole. Nothing is renamed: on Windows that fails while a virus scanner looks at the file.
//! Nothing is synced either: after a power cut no process remembers an older stamp.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
};

use super::{
    Mark,
    mark_line::{self, Line},
};
use crate::{
    error::{Error, Result},
    private_file::{self, unusable},
};

const LINE_LEN: u64 = mark_line::LEN as u64;

/// How often a file is read before a line that is not whole counts as damaged. Whoever reads without the lock
/// may read amid a write, which takes a few microseconds.
const READS: usize = 3;

/// The file of an account whose lock is held.
pub(super) struct MarkFile {
    path: Arc<Path>,
    pub(super) file: File,
    /// Where the next line goes, and its turn.
    next: (Place, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    First = 0,
    Second = 1,
}

impl MarkFile {
    /// Opens the file, which is made if there is none, and takes the room that it needs: what can fail, fails
    /// before the account is changed.
    ///
    /// # Errors
    ///
    /// Where the file cannot be used. The inner error says that it is damaged: there is no mark, and the next
    /// write begins anew.
    pub(super) fn open(path: Arc<Path>) -> io::Result<(Self, Result<Mark>)> {
        let mut file = private_file::open(&path, File::options().read(true).write(true))?;
        let content = Content::read(&mut file)?;
        if content.bytes.len() < 2 * mark_line::LEN {
            let missing = 2 * mark_line::LEN - content.bytes.len();
            file.seek(SeekFrom::End(0))?;
            file.write_all(&vec![0; missing])?;
        }
        let mark = match content.newest() {
            Some((_, line)) => Ok(line.mark.clone()),
            None if content.is_blank() => Ok(Mark::NEW),
            None => Err(Error::corrupt(format!(
                "the file {} is damaged",
                path.display()
            ))),
        };
        let next = match content.newest() {
            Some((Place::First, line)) => (Place::Second, line.turn.wrapping_add(1)),
            Some((Place::Second, line)) => (Place::First, line.turn.wrapping_add(1)),
            None => (Place::First, 0),
        };
        Ok((Self { path, file, next }, mark))
    }

    /// Writes `mark`. If that fails, the file has the mark that it had.
    pub(super) fn write(&mut self, mark: &Mark) -> Result<()> {
        let (place, turn) = self.next;
        let line = Line {
            turn,
            mark: mark.clone(),
        };
        let start = SeekFrom::Start(place as u64 * LINE_LEN);
        self.file
            .seek(start)
            .and_then(|_| self.file.write_all(line.encode().as_bytes()))
            .map_err(|error| unusable(&self.path, &error))?;
        self.next = match place {
            Place::First => (Place::Second, turn.wrapping_add(1)),
            Place::Second => (Place::First, turn.wrapping_add(1)),
        };
        Ok(())
    }
}

/// The mark in the file at `path`, read without the lock. `None` if there is none that can be read.
pub(super) fn read(path: &Path) -> Option<Mark> {
    let mut file = private_file::open_to_read(path).ok()?;
    let content = Content::read(&mut file).ok()?;
    content.newest().map(|(_, line)| line.mark.clone())
}

/// What is in the file.
struct Content {
    bytes: Vec<u8>,
    lines: [Option<Line>; 2],
}

impl Content {
    fn read(file: &mut File) -> io::Result<Self> {
        Self::read_by(|| {
            let mut bytes = Vec::with_capacity(2 * mark_line::LEN);
            file.rewind()?;
            file.take(2 * LINE_LEN).read_to_end(&mut bytes)?;
            Ok(bytes)
        })
    }

    fn read_by(mut read: impl FnMut() -> io::Result<Vec<u8>>) -> io::Result<Self> {
        let mut content = Self::of(read()?);
        for _ in 1..READS {
            if content.is_whole() {
                break;
            }
            content = Self::of(read()?);
        }
        Ok(content)
    }

    fn of(bytes: Vec<u8>) -> Self {
        let (first, second) = bytes.split_at(bytes.len().min(mark_line::LEN));
        let lines = [Line::decode(first), Line::decode(second)];
        Self { bytes, lines }
    }

    /// Whether each line is a mark, or was never written.
    fn is_whole(&self) -> bool {
        let mut lines = self.bytes.chunks(mark_line::LEN).zip(&self.lines);
        lines.all(|(bytes, line)| line.is_some() || is_blank(bytes))
    }

    fn is_blank(&self) -> bool {
        is_blank(&self.bytes)
    }

    fn newest(&self) -> Option<(Place, &Line)> {
        match &self.lines {
            [Some(first), Some(second)] if second.is_after(first) => Some((Place::Second, second)),
            [Some(first), _] => Some((Place::First, first)),
            [None, Some(second)] => Some((Place::Second, second)),
            [None, None] => None,
        }
    }
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(turn: u8) -> String {
        let mark = Mark::NEW;
        Line { turn, mark }.encode()
    }

    fn newest_turn(reads: &[String]) -> Option<u8> {
        let mut reads = reads.iter();
        let content = Content::read_by(|| Ok(reads.next().unwrap().clone().into_bytes()));
        content.unwrap().newest().map(|(_, line)| line.turn)
    }

    #[test]
    fn p3_who_reads_amid_two_writes_does_not_go_back() {
        let (one, two, three, four) = (line(1), line(2), line(3), line(4));
        // The first line before the writes, and the beginning of what the second one becomes.
        let torn = format!("{one}{}{}", &four[..22], &two[22..]);
        assert_eq!(newest_turn(&[torn.clone(), three + &four]), Some(4));
        assert_eq!(newest_turn(&[one.clone() + &four]), Some(4));
        let damaged = [torn.clone(), torn.clone(), torn];
        assert_eq!(newest_turn(&damaged), Some(1), "damaged for good");
    }
}
