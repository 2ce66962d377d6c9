//! Deleted records stay in chunks that wait for their next life: this writes zeros over them.

use std::io::IoSlice;
use std::path::Path;

use os::{OpenOptions, Os};

use crate::Error;

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Overwrites every spare file of a directory that no process has open. Gives their number and bytes.
pub fn zero_spares(os: &Os, path: &Path) -> Result<(usize, u64), Error> {
    let failed = |path: &Path, error| Error::io(path, error);
    let _lock = os
        .disk
        .lock(path)
        .map_err(|error| failed(path, error))?
        .ok_or_else(|| Error::Locked {
            path: path.to_owned(),
        })?;
    let pool = path.join("pool");
    if !os.disk.exists(&pool) {
        return Err(Error::Unusable {
            path: path.to_owned(),
            reason: "it is not a log directory: it has no folder pool".to_owned(),
        });
    }
    let (mut files, mut bytes) = (0, 0);
    for spare in os.disk.list(&pool).map_err(|error| failed(&pool, error))? {
        let zeroed = zero(os, &spare).map_err(|error| failed(&spare, error))?;
        files += 1;
        bytes += zeroed;
    }
    Ok((files, bytes))
}

fn zero(os: &Os, path: &Path) -> std::io::Result<u64> {
    let file = os.disk.open(path, OpenOptions::default())?;
    let length = file.len()?;
    let mut at = 0;
    while at < length {
        let piece = (length - at).min(ZEROS.len() as u64) as usize;
        let zeros = ZEROS.get(..piece).unwrap_or_default();
        file.write_all_at(&mut [IoSlice::new(zeros)], at)?;
        at += piece as u64;
    }
    file.sync_all()?;
    Ok(length)
}
