//! What comes of creating something that may be there already.

/// What became of the wish to create something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It is new.
    Created,
    /// It was there, and is the same.
    Exists,
    /// It was there, and is another. Nothing was changed.
    Differs,
}
