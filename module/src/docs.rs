//! What `COMMAND DOCS` says of a command.

use std::ffi::CStr;

/// A command as its user sees it.
pub(crate) struct Docs {
    /// One line.
    pub(crate) summary: &'static CStr,
    /// How the work grows.
    pub(crate) complexity: &'static CStr,
    /// After the name, in their order; the key is the first.
    pub(crate) args: &'static [Arg],
}

/// An argument, or a group of them.
pub(crate) struct Arg {
    pub(crate) name: &'static CStr,
    pub(crate) kind: Kind,
    /// The word before it.
    pub(crate) token: Option<&'static CStr>,
    pub(crate) is_optional: bool,
    pub(crate) is_repeatable: bool,
}

/// What an argument is.
pub(crate) enum Kind {
    Key,
    Text,
    Int,
    /// Unix milliseconds.
    Time,
    /// Nothing but its token.
    Flag,
    /// All of these, in their order.
    Block(&'static [Arg]),
    /// One of these.
    OneOf(&'static [Arg]),
}

/// The key that every command but READY begins with.
pub(crate) const KEY: Arg = Arg::new(c"key", Kind::Key);
/// `[COUNT n]`
pub(crate) const COUNT: Arg = Arg::new(c"count", Kind::Int).token(c"COUNT").optional();

impl Arg {
    pub(crate) const fn new(name: &'static CStr, kind: Kind) -> Self {
        Self { name, kind, token: None, is_optional: false, is_repeatable: false }
    }

    pub(crate) const fn token(mut self, token: &'static CStr) -> Self {
        self.token = Some(token);
        self
    }

    pub(crate) const fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    pub(crate) const fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }
}

impl Docs {
    /// The arity as Redis counts it: the name and the required arguments; negative where more may follow.
    pub(crate) fn arity(&self) -> i32 {
        let required: i32 = self.args.iter().map(words).sum();
        let may_have_more = self.args.iter().any(Arg::may_be_longer);
        if may_have_more { -(1 + required) } else { 1 + required }
    }
}

impl Arg {
    fn may_be_longer(&self) -> bool {
        self.is_optional
            || self.is_repeatable
            || match self.kind {
                Kind::OneOf(args) => args.iter().any(|arg| arg.may_be_longer() || words(arg) != words(self)),
                Kind::Block(args) => args.iter().any(Self::may_be_longer),
                _ => false,
            }
    }
}

/// The fewest words that an argument takes.
fn words(arg: &Arg) -> i32 {
    if arg.is_optional {
        return 0;
    }
    let of_its_own = match arg.kind {
        Kind::Block(args) => args.iter().map(words).sum(),
        Kind::OneOf(args) => args.iter().map(words).min().unwrap_or(0),
        Kind::Flag => 0,
        _ => 1,
    };
    of_its_own + i32::from(arg.token.is_some())
}
