//! The log as files for other programs, one format a file; reading them back is the log's part, and only of JSON Lines.

pub mod csv;
pub mod jsonl;
