//! The one file that speaks Redis's C API, and the only one with `unsafe` in it. Everything here is a thin, safe face:
//! what a command does stands in `commands`, what a key holds in `stored`.
//!
//! Three rules make it sound. The server calls every function here on its main thread, but for `free`, which may run on
//! a background thread and touches nothing but the value. Pointers that the server hands to a callback live as long as
//! that call, and so do the types that wrap them. No panic crosses into C: each callback runs inside [`guard`].

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use flash_sale::HashKey;
use flash_wire::Sink;
use redis_module::alloc::RedisAlloc;
use redis_module::raw::{
    self, RedisModuleCtx, RedisModuleDigest, RedisModuleIO, RedisModuleKey, RedisModuleString, RedisModuleType,
    RedisModuleTypeMethods,
};

use crate::fault::Fault;
use crate::stored::{self, Stored};
use crate::{commands, ready};

#[global_allocator]
static ALLOCATOR: RedisAlloc = RedisAlloc;

/// The type of keys that hold a sale, once the module is loaded.
static SALE_TYPE: AtomicPtr<RedisModuleType> = AtomicPtr::new(ptr::null_mut());
/// Nine characters, as Redis wants them; they stand in every RDB file.
const TYPE_NAME: &CStr = c"flashsale";
/// The version of the RDB payload. The payload carries its own version too, for AOF and DUMP.
const TYPE_VERSION: c_int = 1;
const MODULE_VERSION: c_int = 1;

const OK: c_int = 0;
const ERR: c_int = 1;
const _: () = assert!(raw::REDISMODULE_OK == OK as isize && raw::REDISMODULE_ERR == ERR as isize);

/// Calls a function of the server's API. [`required_api`] has seen that it is there.
macro_rules! redis {
    ($function:ident($($arg:expr),* $(,)?)) => {
        unsafe { raw::$function.expect(stringify!($function))($($arg),*) }
    };
}

/// Lists API functions that are missing in this server.
macro_rules! missing_api {
    ($($function:ident),* $(,)?) => {
        [$(unsafe { raw::$function }.is_none().then_some(stringify!($function))),*].into_iter().flatten().collect()
    };
}

fn required_api() -> Vec<&'static str> {
    missing_api![
        RedisModule_CloseKey,
        RedisModule_CreateCommand,
        RedisModule_CreateDataType,
        RedisModule_CreateString,
        RedisModule_DigestAddStringBuffer,
        RedisModule_DigestEndSequence,
        RedisModule_EmitAOF,
        RedisModule_Free,
        RedisModule_FreeString,
        RedisModule_GetClientId,
        RedisModule_GetContextFlags,
        RedisModule_GetDbIdFromIO,
        RedisModule_GetKeyNameFromIO,
        RedisModule_GetRandomBytes,
        RedisModule_GetSelectedDb,
        RedisModule_IsIOError,
        RedisModule_KeyType,
        RedisModule_LoadStringBuffer,
        RedisModule_Log,
        RedisModule_LogIOError,
        RedisModule_Milliseconds,
        RedisModule_ModuleTypeGetType,
        RedisModule_ModuleTypeGetValue,
        RedisModule_ModuleTypeSetValue,
        RedisModule_OpenKey,
        RedisModule_Replicate,
        RedisModule_ReplicateVerbatim,
        RedisModule_ReplyWithArray,
        RedisModule_ReplyWithError,
        RedisModule_ReplyWithLongLong,
        RedisModule_ReplyWithMap,
        RedisModule_ReplyWithNull,
        RedisModule_ReplyWithStringBuffer,
        RedisModule_SaveStringBuffer,
        RedisModule_SetModuleOptions,
        RedisModule_SignalModifiedKey,
        RedisModule_StringPtrLen,
        RedisModule_SubscribeToKeyspaceEvents,
    ]
}

/// Runs `f` and turns a panic into none. What panicked has been logged by then: the default hook writes to stderr, which
/// is the server's.
fn guard<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}

/// A command: registered by [`register`], run by the server.
pub(crate) trait Command {
    /// Its name, and the flags that Redis wants to know.
    const NAME: &'static CStr;
    const FLAGS: &'static CStr;
    /// Whether the first argument is its key. No command has more than one.
    const HAS_KEY: bool = true;
    /// Runs it and writes one reply, or gives the fault that is the reply.
    fn run(call: &Call) -> Result<(), Fault>;
}

/// Arguments that a call takes without asking for memory: a reservation with every option but several SKUs.
const FEW_ARGS: usize = 8;

/// One call of a command.
pub(crate) struct Call<'a> {
    ctx: *mut RedisModuleCtx,
    argv: &'a [*mut RedisModuleString],
    /// How the command opens keys.
    mode: u32,
}

impl<'a> Call<'a> {
    /// Runs `f` on the arguments behind the command's name, or behind its key.
    pub(crate) fn with_args<C: Command, T>(&self, f: impl FnOnce(&[&'a [u8]]) -> T) -> T {
        let argv = self.argv.get(if C::HAS_KEY { 2 } else { 1 }..).unwrap_or_default();
        let mut few = [&[][..]; FEW_ARGS];
        let Some(args) = few.get_mut(..argv.len()) else {
            let many: Vec<&[u8]> = argv.iter().map(|arg| bytes(*arg)).collect();
            return f(&many);
        };
        args.iter_mut().zip(argv).for_each(|(slot, arg)| *slot = bytes(*arg));
        f(args)
    }

    /// Opens the key as the command's flags say. Whoever changes it says so by [`Key::changed`].
    pub(crate) fn key(&self) -> Result<Key<'a>, Fault> {
        let name = *self.argv.get(1).ok_or(Fault::Arity)?;
        Key::open(self, name)
    }

    /// The server's clock, Unix milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(redis!(RedisModule_Milliseconds())).unwrap_or(0)
    }

    /// The database that the client has selected.
    pub(crate) fn db(&self) -> i32 {
        redis!(RedisModule_GetSelectedDb(self.ctx))
    }

    /// Whether this comes from the primary's replication link or from the AOF, and not from a client.
    pub(crate) fn is_replicated(&self) -> bool {
        const AOF_CLIENT: u64 = u64::MAX;
        let flags = redis!(RedisModule_GetContextFlags(self.ctx)).cast_unsigned();
        if flags & raw::REDISMODULE_CTX_FLAGS_REPLICATED != 0 {
            return true;
        }
        let loading = flags & raw::REDISMODULE_CTX_FLAGS_LOADING != 0;
        loading && redis!(RedisModule_GetClientId(self.ctx)) == AOF_CLIENT
    }

    /// Sends the command as it came to replicas and the AOF.
    pub(crate) fn replicate_verbatim(&self) {
        redis!(RedisModule_ReplicateVerbatim(self.ctx));
    }

    /// Opens the key `name` of the client's database, as [`Call::key`] does with the command's own.
    pub(crate) fn with_key<T>(&self, name: &[u8], f: impl FnOnce(Result<Key, Fault>) -> T) -> T {
        let name = redis!(RedisModule_CreateString(self.ctx, name.as_ptr().cast(), name.len()));
        let result = f(Key::open(self, name));
        redis!(RedisModule_FreeString(self.ctx, name));
        result
    }

    /// Where the reply goes.
    pub(crate) const fn reply(&self) -> Reply<'a> {
        Reply { ctx: self.ctx, call: PhantomData }
    }

    fn reply_error(&self, text: &str) {
        let text = CString::new(text).unwrap_or_else(|_| c"ERR the error's text holds a NUL".to_owned());
        redis!(RedisModule_ReplyWithError(self.ctx, text.as_ptr()));
    }
}

/// An open key. It closes when it is dropped.
pub(crate) struct Key<'a> {
    key: *mut RedisModuleKey,
    name: KeyName<'a>,
}

impl<'a> Key<'a> {
    fn open(call: &Call, name: *mut RedisModuleString) -> Result<Self, Fault> {
        let key = redis!(RedisModule_OpenKey(call.ctx, name, call.mode.cast_signed()));
        let key = Self { key, name: KeyName { ctx: call.ctx, name, call: PhantomData } };
        if key.is_empty() || key.holds_sale() { Ok(key) } else { Err(Fault::WrongType) }
    }

    fn is_empty(&self) -> bool {
        isize::try_from(redis!(RedisModule_KeyType(self.key))) == Ok(raw::REDISMODULE_KEYTYPE_EMPTY)
    }

    fn holds_sale(&self) -> bool {
        redis!(RedisModule_ModuleTypeGetType(self.key)) == SALE_TYPE.load(Ordering::Relaxed)
    }

    /// What the key holds, and its name; none, if there is no such key.
    pub(crate) fn stored(&mut self) -> Option<(&mut Stored, &KeyName<'a>)> {
        if !self.holds_sale() {
            return None;
        }
        let value = redis!(RedisModule_ModuleTypeGetValue(self.key)).cast::<Stored>();
        // SAFETY: values of our type are boxes of `Stored`; the borrow of self keeps a second reference away.
        Some((unsafe { value.as_mut() }?, &self.name))
    }

    /// Makes the key hold `stored`.
    pub(crate) fn set(&mut self, stored: Stored) {
        let value = Box::into_raw(Box::new(stored)).cast::<c_void>();
        redis!(RedisModule_ModuleTypeSetValue(self.key, SALE_TYPE.load(Ordering::Relaxed), value));
    }
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        redis!(RedisModule_CloseKey(self.key));
    }
}

/// The name of an open key, and what is told to others under it.
pub(crate) struct KeyName<'a> {
    ctx: *mut RedisModuleCtx,
    name: *mut RedisModuleString,
    call: PhantomData<&'a ()>,
}

impl KeyName<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        bytes(self.name)
    }

    /// Tells those who WATCH or track the key that it has changed.
    pub(crate) fn changed(&self) {
        redis!(RedisModule_SignalModifiedKey(self.ctx, self.name));
    }

    /// Sends `command` with this key and `payload` to replicas and the AOF.
    pub(crate) fn replicate(&self, command: &CStr, payload: &[u8]) {
        let format = c"sb".as_ptr();
        let (payload, length) = (payload.as_ptr().cast::<c_char>(), payload.len());
        redis!(RedisModule_Replicate(self.ctx, command.as_ptr(), format, self.name, payload, length));
    }
}

/// Where a command's reply goes.
pub(crate) struct Reply<'a> {
    ctx: *mut RedisModuleCtx,
    call: PhantomData<&'a ()>,
}

impl Sink for Reply<'_> {
    fn array(&mut self, length: usize) {
        redis!(RedisModule_ReplyWithArray(self.ctx, length.cast_signed() as _));
    }

    fn map(&mut self, length: usize) {
        redis!(RedisModule_ReplyWithMap(self.ctx, length.cast_signed() as _));
    }

    fn int(&mut self, value: i64) {
        redis!(RedisModule_ReplyWithLongLong(self.ctx, value));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        redis!(RedisModule_ReplyWithStringBuffer(self.ctx, bytes.as_ptr().cast(), bytes.len()));
    }

    fn code(&mut self, code: &'static str) {
        self.bytes(code.as_bytes());
    }

    fn null(&mut self) {
        redis!(RedisModule_ReplyWithNull(self.ctx));
    }
}

/// A string's bytes, as long as the server keeps it: during the call.
fn bytes<'a>(string: *const RedisModuleString) -> &'a [u8] {
    let mut length = 0;
    let start = redis!(RedisModule_StringPtrLen(string, &raw mut length)).cast::<u8>();
    // SAFETY: the server says where its string lies and how long it is.
    unsafe { std::slice::from_raw_parts(start, length) }
}

extern "C" fn run<C: Command>(ctx: *mut RedisModuleCtx, argv: *mut *mut RedisModuleString, argc: c_int) -> c_int {
    let argc = usize::try_from(argc).unwrap_or(0);
    // SAFETY: the server hands over `argc` strings that live as long as the call.
    let argv = unsafe { std::slice::from_raw_parts(argv, argc) };
    let writes = if C::FLAGS.to_bytes().starts_with(b"write") { raw::REDISMODULE_WRITE } else { 0 };
    let call = Call { ctx, argv, mode: raw::REDISMODULE_READ | writes };
    match guard(|| C::run(&call)) {
        Some(Ok(())) => {}
        Some(Err(fault)) => call.reply_error(&fault.text(C::NAME)),
        None => call.reply_error("ERR flash: the command panicked; the server's log says where. Please report it."),
    }
    OK
}

/// Adds a command to the server.
pub(crate) fn register<C: Command>(ctx: &Context) -> Result<(), String> {
    let key = c_int::from(C::HAS_KEY);
    let (name, flags) = (C::NAME.as_ptr(), C::FLAGS.as_ptr());
    let status = redis!(RedisModule_CreateCommand(ctx.0, name, Some(run::<C>), flags, key, key, key));
    if status == OK { Ok(()) } else { Err(format!("cannot add the command {:?}", C::NAME)) }
}

/// The module's load.
pub(crate) struct Context(*mut RedisModuleCtx);

impl Context {
    fn log(&self, level: &CStr, text: &str) {
        let text = CString::new(text).unwrap_or_default();
        redis!(RedisModule_Log(self.0, level.as_ptr(), c"%s".as_ptr(), text.as_ptr()));
    }
}

/// What `MODULE LOAD` and `loadmodule` call.
///
/// # Safety
/// Called by the server with pointers that live as long as the call.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn RedisModule_OnLoad(
    ctx: *mut RedisModuleCtx,
    _argv: *mut *mut RedisModuleString,
    _argc: c_int,
) -> c_int {
    // Nothing may be allocated before this call: the allocator is the server's.
    let api = raw::REDISMODULE_APIVER_1.cast_signed();
    // SAFETY: the context is the server's, the name a C string.
    if unsafe { raw::Export_RedisModule_Init(ctx, c"flash".as_ptr(), MODULE_VERSION, api) } != OK {
        return ERR;
    }
    let ctx = Context(ctx);
    match guard(|| load(&ctx)) {
        Some(Ok(())) => OK,
        Some(Err(problem)) => {
            ctx.log(c"warning", &format!("flash: {problem}"));
            ERR
        }
        None => ERR,
    }
}

fn load(ctx: &Context) -> Result<(), String> {
    let missing: Vec<&str> = required_api();
    if !missing.is_empty() {
        return Err(format!("this server lacks {}; Redis 7.0 or Valkey 7.2 and newer have it", missing.join(", ")));
    }
    let options = raw::REDISMODULE_OPTIONS_HANDLE_IO_ERRORS
        | raw::REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED
        | raw::REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD;
    redis!(RedisModule_SetModuleOptions(ctx.0, options.cast_signed()));
    stored::set_hash_key(random_hash_key());
    create_type(ctx)?;
    commands::register(ctx)?;
    let generic = raw::REDISMODULE_NOTIFY_GENERIC;
    redis!(RedisModule_SubscribeToKeyspaceEvents(ctx.0, generic, Some(on_keyspace_event)));
    ctx.log(c"notice", concat!("flash ", env!("CARGO_PKG_VERSION"), " is loaded"));
    Ok(())
}

fn random_hash_key() -> HashKey {
    let mut key = [0u64; 2];
    redis!(RedisModule_GetRandomBytes(key.as_mut_ptr().cast(), size_of_val(&key)));
    HashKey(key)
}

fn create_type(ctx: &Context) -> Result<(), String> {
    // SAFETY: the struct is plain C data, for which zero means: no such method.
    let mut methods: RedisModuleTypeMethods = unsafe { std::mem::zeroed() };
    methods.version = raw::REDISMODULE_TYPE_METHOD_VERSION.into();
    methods.rdb_load = Some(rdb_load);
    methods.rdb_save = Some(rdb_save);
    methods.aof_rewrite = Some(aof_rewrite);
    methods.free = Some(free);
    methods.digest = Some(digest);
    methods.mem_usage = Some(mem_usage);
    methods.free_effort = Some(free_effort);
    methods.copy = Some(copy);
    let name = TYPE_NAME.as_ptr();
    let created = redis!(RedisModule_CreateDataType(ctx.0, name, TYPE_VERSION, &raw mut methods));
    SALE_TYPE.store(created, Ordering::Relaxed);
    if created.is_null() { Err("cannot create the type: is another version loaded?".to_owned()) } else { Ok(()) }
}

/// A value of our type that the server lends to a callback.
fn lent<'a>(value: *const c_void) -> &'a Stored {
    // SAFETY: values of our type are boxes of `Stored`, and the server keeps this one during the callback.
    unsafe { &*value.cast::<Stored>() }
}

unsafe extern "C" fn rdb_load(io: *mut RedisModuleIO, version: c_int) -> *mut c_void {
    let load = || {
        if version != TYPE_VERSION {
            return Err(format!("its type version is {version}, written by another release"));
        }
        let mut length = 0;
        let buffer = redis!(RedisModule_LoadStringBuffer(io, &raw mut length));
        if buffer.is_null() || redis!(RedisModule_IsIOError(io)) != 0 {
            return Err("it is cut short".to_owned());
        }
        // SAFETY: the server allocated the buffer and says how long it is; it is ours to free.
        let loaded = Stored::load(unsafe { std::slice::from_raw_parts(buffer.cast(), length) });
        redis!(RedisModule_Free(buffer.cast()));
        let stored = loaded.map_err(|malformed| malformed.to_string())?;
        let name = redis!(RedisModule_GetKeyNameFromIO(io));
        if !name.is_null() {
            ready::list(redis!(RedisModule_GetDbIdFromIO(io)), bytes(name));
        }
        Ok(stored)
    };
    let problem = match guard(load) {
        Some(Ok(stored)) => return Box::into_raw(Box::new(stored)).cast(),
        Some(Err(problem)) => problem,
        None => "loading it panicked".to_owned(),
    };
    let text = CString::new(format!("flash: cannot load a sale: {problem}")).unwrap_or_default();
    redis!(RedisModule_LogIOError(io, c"warning".as_ptr(), c"%s".as_ptr(), text.as_ptr()));
    ptr::null_mut()
}

unsafe extern "C" fn rdb_save(io: *mut RedisModuleIO, value: *mut c_void) {
    if let Some(bytes) = guard(|| lent(value).sale.save()) {
        redis!(RedisModule_SaveStringBuffer(io, bytes.as_ptr().cast(), bytes.len()));
    }
}

unsafe extern "C" fn aof_rewrite(io: *mut RedisModuleIO, key: *mut RedisModuleString, value: *mut c_void) {
    if let Some(bytes) = guard(|| lent(value).sale.save()) {
        let payload = bytes.as_ptr().cast::<c_char>();
        redis!(RedisModule_EmitAOF(io, commands::LOAD.as_ptr(), c"sb".as_ptr(), key, payload, bytes.len()));
    }
}

unsafe extern "C" fn free(value: *mut c_void) {
    // SAFETY: the server gives the value up, and it was a box.
    guard(|| drop(unsafe { Box::from_raw(value.cast::<Stored>()) }));
}

unsafe extern "C" fn digest(digest: *mut RedisModuleDigest, value: *mut c_void) {
    if let Some(bytes) = guard(|| lent(value).sale.save()) {
        redis!(RedisModule_DigestAddStringBuffer(digest, bytes.as_ptr().cast(), bytes.len()));
        redis!(RedisModule_DigestEndSequence(digest));
    }
}

unsafe extern "C" fn mem_usage(value: *const c_void) -> usize {
    guard(|| lent(value).memory_bytes()).unwrap_or(0)
}

unsafe extern "C" fn free_effort(_key: *mut RedisModuleString, value: *const c_void) -> usize {
    guard(|| lent(value).sale.allocations()).unwrap_or(0)
}

unsafe extern "C" fn copy(
    _from: *mut RedisModuleString,
    _to: *mut RedisModuleString,
    value: *const c_void,
) -> *mut c_void {
    let copied = guard(|| Stored::load(&lent(value).sale.save()).ok()).flatten();
    copied.map_or(ptr::null_mut(), |stored| Box::into_raw(Box::new(stored)).cast())
}

/// A sale may come under another name without any command of ours.
extern "C" fn on_keyspace_event(
    ctx: *mut RedisModuleCtx,
    _type: c_int,
    event: *const c_char,
    key: *mut RedisModuleString,
) -> c_int {
    // SAFETY: the server gives the event's name as a C string.
    let event = unsafe { CStr::from_ptr(event) };
    if [c"rename_to", c"copy_to", c"move_to"].contains(&event) {
        guard(|| ready::list(redis!(RedisModule_GetSelectedDb(ctx)), bytes(key)));
    }
    OK
}
