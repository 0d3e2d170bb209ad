//! How a command is called: its arguments, its key, its reply.

use std::ffi::CStr;
use std::marker::PhantomData;

use redis_module::{Context, ContextFlags, raw};

use crate::api::{Ctx, Native, OpenKey, Str, now_ms};
use crate::docs::Docs;
use crate::fault::Fault;
use crate::role;

/// A command: registered by `register`, run by the server.
pub(crate) trait Command {
    /// Its name.
    const NAME: &'static CStr;
    /// What Redis wants to know of it; the first word is `write` or `readonly`.
    const FLAGS: &'static CStr;
    /// What `COMMAND DOCS` says of it.
    const DOCS: Docs;
    /// Whether the first argument is its key. No command has more than one.
    const HAS_KEY: bool = true;
    /// Runs it and writes one reply, or gives the fault that is the reply.
    fn run(call: &Call) -> Result<(), Fault>;
}

/// Whether the command may change its key.
pub(crate) fn is_write<C: Command>() -> bool {
    C::FLAGS.to_bytes().starts_with(b"write")
}

/// For commands that take nothing behind their key.
pub(crate) fn no_arguments(args: &[&[u8]]) -> Result<(), Fault> {
    if args.is_empty() { Ok(()) } else { Err(Fault::Arity) }
}

/// Arguments that a call takes without asking for memory: a reservation with every option but several SKUs.
const FEW_ARGS: usize = 8;

/// One call of a command.
pub(crate) struct Call<'a> {
    ctx: Ctx<'a>,
    argv: &'a [Str<'a>],
    writes: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn new<C: Command>(ctx: Ctx<'a>, argv: &'a [Str<'a>]) -> Self {
        Self { ctx, argv, writes: is_write::<C>() }
    }

    /// Runs `f` on the arguments after the command's name, or after its key.
    pub(crate) fn with_args<C: Command, T>(&self, f: impl FnOnce(&[&'a [u8]]) -> T) -> T {
        let argv = self.argv.get(if C::HAS_KEY { 2 } else { 1 }..).unwrap_or_default();
        let mut few = [&[][..]; FEW_ARGS];
        let Some(args) = few.get_mut(..argv.len()) else {
            let many: Vec<&[u8]> = argv.iter().map(|arg| arg.bytes()).collect();
            return f(&many);
        };
        args.iter_mut().zip(argv).for_each(|(slot, arg)| *slot = arg.bytes());
        f(args)
    }

    /// Opens the command's key, for writing if the command writes. Code that changes it calls [`KeyName::changed`].
    pub(crate) fn key<V: Native>(&self) -> Result<Key<'a, V>, Fault> {
        if self.writes && role::is_replica() && !self.is_replicated() {
            return Err(Fault::Replica);
        }
        Key::open(self, *self.argv.get(1).ok_or(Fault::Arity)?)
    }

    /// Runs `f` on the key `name` of the client's database, opened as [`Call::key`] does.
    pub(crate) fn with_key<V: Native, T>(&self, name: &[u8], f: impl FnOnce(Result<Key<V>, Fault>) -> T) -> T {
        self.ctx.with_str(name, |name| f(Key::open(self, name)))
    }

    /// The server's clock, Unix milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        now_ms()
    }

    /// The database that the client has selected.
    pub(crate) fn db(&self) -> i32 {
        self.ctx.db()
    }

    /// Whether this comes from the primary's replication link or from the AOF, and not from a client.
    pub(crate) fn is_replicated(&self) -> bool {
        const AOF_CLIENT: u64 = u64::MAX;
        let flags = Context::new(self.ctx.raw()).get_flags();
        let is_aof = || flags.contains(ContextFlags::LOADING) && self.ctx.client_id() == AOF_CLIENT;
        flags.contains(ContextFlags::REPLICATED) || is_aof()
    }

    /// Whether the command may change its key.
    pub(crate) const fn writes(&self) -> bool {
        self.writes
    }

    /// Sends the command as it came to replicas and the AOF.
    pub(crate) fn replicate_verbatim(&self) {
        raw::replicate_verbatim(self.ctx.raw());
    }

    /// Where the reply goes.
    pub(crate) const fn reply(&self) -> Ctx<'a> {
        self.ctx
    }
}

/// A key that holds a `V` or nothing.
pub(crate) struct Key<'a, V> {
    open: OpenKey<'a>,
    name: KeyName<'a>,
    value: PhantomData<V>,
}

impl<'a, V: Native> Key<'a, V> {
    fn open(call: &Call<'a>, name: Str<'a>) -> Result<Self, Fault> {
        let open = OpenKey::open(call.ctx, name, call.writes);
        if open.holds::<V>() || open.is_empty() {
            return Ok(Self { open, name: KeyName { ctx: call.ctx, name }, value: PhantomData });
        }
        Err(Fault::WrongType)
    }

    /// What the key holds, and its name; none, if there is no such key.
    pub(crate) fn value(&mut self) -> Option<(&mut V, &KeyName<'a>)> {
        Some((self.open.value()?, &self.name))
    }

    /// Lets the server throw the key away from then on, Unix milliseconds. Nothing is replicated: a replica that
    /// applies the same comes to the same time.
    pub(crate) fn expire_at(&mut self, at_ms: u64) {
        self.open.expire_at(at_ms);
    }

    /// Makes the key hold `value`.
    pub(crate) fn set(&mut self, value: V) {
        self.open.set(value);
    }
}

/// The name of an open key, and what is published under it.
pub(crate) struct KeyName<'a> {
    ctx: Ctx<'a>,
    name: Str<'a>,
}

impl KeyName<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.name.bytes()
    }

    /// Says in the server's log what an operator should know. Keys and clients stay out of it.
    pub(crate) fn warn(&self, text: &str) {
        self.ctx.log(c"warning", text);
    }

    /// Tells those who WATCH or track the key that it has changed.
    pub(crate) fn changed(&self) {
        self.ctx.signal_modified(self.name);
    }

    /// Publishes the keyspace event `event` about the key.
    pub(crate) fn notify(&self, event: &CStr) {
        self.ctx.notify(event, self.name);
    }

    /// Sends `command` with this key, an option and its number to replicas and the AOF.
    pub(crate) fn replicate_option(&self, command: &CStr, option: &CStr, number: u64) {
        self.ctx.replicate_option(command, self.name, option, number);
    }

    /// Sends `command` with this key, and `payload` if it takes one, to replicas and the AOF.
    pub(crate) fn replicate(&self, command: &CStr, payload: Option<&[u8]>) {
        self.ctx.replicate(command, self.name, payload);
    }
}
