//! Choices that commands that write have in common: acks and codec.

use clap::{Arg, ArgMatches};
use client::{Acks, Codec};

use crate::Failure;
use crate::arguments::{option, value};

pub(crate) fn acks_argument() -> Arg {
    option(
        "acks",
        "all|1|0",
        "Who must have a record before it counts (default: all)",
    )
}

pub(crate) fn codec_argument() -> Arg {
    option("compression", "CODEC", "none, gzip, snappy, lz4 or zstd").short('z')
}

pub(crate) fn acks(matches: &ArgMatches) -> Result<Acks, Failure> {
    match value(matches, "acks") {
        None | Some("all" | "-1") => Ok(Acks::All),
        Some("1") => Ok(Acks::Leader),
        Some("0") => Ok(Acks::None),
        Some(other) => Err(Failure::usage(format!("--acks is all, 1 or 0, not {other:?}"))),
    }
}

pub(crate) fn codec(matches: &ArgMatches) -> Result<Codec, Failure> {
    match value(matches, "compression") {
        None | Some("none") => Ok(Codec::None),
        Some("gzip") => Ok(Codec::Gzip),
        Some("snappy") => Ok(Codec::Snappy),
        Some("lz4") => Ok(Codec::Lz4),
        Some("zstd") => Ok(Codec::Zstd),
        Some(other) => {
            let wrong = Failure::usage(format!("there is no codec {other:?}"));
            Err(wrong.hint("use none, gzip, snappy, lz4 or zstd"))
        }
    }
}
