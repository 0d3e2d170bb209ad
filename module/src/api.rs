//! The one file that speaks Redis's C API, and the only one with `unsafe` in it. Everything here is a thin, safe face:
//! how a command is called stands in `call`, what it does in `commands`, what a key holds in `stored`.
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
    self, RedisModuleCtx, RedisModuleDigest, RedisModuleEvent, RedisModuleIO, RedisModuleKey, RedisModuleString,
    RedisModuleSwapDbInfo, RedisModuleType, RedisModuleTypeMethods,
};

use crate::call::{Call, Command};
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

/// Calls a function of the server's API. [`missing_api`] has seen to it that it is there.
macro_rules! redis {
    ($function:ident($($arg:expr),* $(,)?)) => {
        unsafe { raw::$function.expect(stringify!($function))($($arg),*) }
    };
}

/// The newest functions of those that we use. A server that has them has the others too.
fn missing_api() -> Vec<&'static str> {
    // SAFETY: the table of functions is filled once, before this.
    let functions = unsafe {
        [
            ("ReplyWithMap", { raw::RedisModule_ReplyWithMap }.is_some()),
            ("GetDbIdFromIO", { raw::RedisModule_GetDbIdFromIO }.is_some()),
            ("SignalModifiedKey", { raw::RedisModule_SignalModifiedKey }.is_some()),
        ]
    };
    functions.into_iter().filter(|(_, is_there)| !is_there).map(|(name, _)| name).collect()
}

/// Runs `f` and turns a panic into none. What panicked has been logged by then: the default hook writes to stderr, which
/// is the server's.
fn guard<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}

/// The context of one call, or of the module's load.
#[derive(Clone, Copy)]
pub(crate) struct Ctx<'a>(*mut RedisModuleCtx, PhantomData<&'a ()>);

/// A string of the server's, as long as the call lasts.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Str<'a>(*mut RedisModuleString, PhantomData<&'a ()>);

impl<'a> Str<'a> {
    pub(crate) fn bytes(self) -> &'a [u8] {
        let mut length = 0;
        let start = redis!(RedisModule_StringPtrLen(self.0, &raw mut length)).cast::<u8>();
        // SAFETY: the server says where its string lies and how long it is.
        unsafe { std::slice::from_raw_parts(start, length) }
    }
}

impl<'a> Ctx<'a> {
    pub(crate) fn now_ms(self) -> u64 {
        u64::try_from(redis!(RedisModule_Milliseconds())).unwrap_or(0)
    }

    pub(crate) fn db(self) -> i32 {
        redis!(RedisModule_GetSelectedDb(self.0))
    }

    pub(crate) fn is_primary_s_link(self) -> bool {
        self.flags() & raw::REDISMODULE_CTX_FLAGS_REPLICATED != 0
    }

    pub(crate) fn is_aof(self) -> bool {
        const AOF_CLIENT: u64 = u64::MAX;
        self.flags() & raw::REDISMODULE_CTX_FLAGS_LOADING != 0 && redis!(RedisModule_GetClientId(self.0)) == AOF_CLIENT
    }

    fn flags(self) -> u32 {
        redis!(RedisModule_GetContextFlags(self.0)).cast_unsigned()
    }

    pub(crate) fn replicate_verbatim(self) {
        redis!(RedisModule_ReplicateVerbatim(self.0));
    }

    /// Sends `command` with a key and a payload to replicas and the AOF.
    pub(crate) fn replicate(self, command: &CStr, key: Str, payload: &[u8]) {
        let format = c"sb".as_ptr();
        let (payload, length) = (payload.as_ptr().cast::<c_char>(), payload.len());
        redis!(RedisModule_Replicate(self.0, command.as_ptr(), format, key.0, payload, length));
    }

    pub(crate) fn signal_modified(self, key: Str) {
        redis!(RedisModule_SignalModifiedKey(self.0, key.0));
    }

    /// Runs `f` on a string of the server's with these bytes.
    pub(crate) fn with_str<T>(self, bytes: &[u8], f: impl FnOnce(Str) -> T) -> T {
        let string = redis!(RedisModule_CreateString(self.0, bytes.as_ptr().cast(), bytes.len()));
        let result = f(Str(string, PhantomData));
        redis!(RedisModule_FreeString(self.0, string));
        result
    }

    pub(crate) fn reply_error(self, text: &str) {
        let text = CString::new(text).unwrap_or_else(|_| c"ERR the error's text holds a NUL".to_owned());
        redis!(RedisModule_ReplyWithError(self.0, text.as_ptr()));
    }

    fn log(self, level: &CStr, text: &str) {
        let text = CString::new(text).unwrap_or_default();
        redis!(RedisModule_Log(self.0, level.as_ptr(), c"%s".as_ptr(), text.as_ptr()));
    }
}

impl Sink for Ctx<'_> {
    fn array(&mut self, length: usize) {
        redis!(RedisModule_ReplyWithArray(self.0, length.cast_signed() as _));
    }

    fn map(&mut self, length: usize) {
        redis!(RedisModule_ReplyWithMap(self.0, length.cast_signed() as _));
    }

    fn int(&mut self, value: i64) {
        redis!(RedisModule_ReplyWithLongLong(self.0, value));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        redis!(RedisModule_ReplyWithStringBuffer(self.0, bytes.as_ptr().cast(), bytes.len()));
    }

    fn code(&mut self, code: &'static str) {
        self.bytes(code.as_bytes());
    }

    fn null(&mut self) {
        redis!(RedisModule_ReplyWithNull(self.0));
    }
}

/// An open key. It closes when it is dropped.
pub(crate) struct OpenKey<'a>(*mut RedisModuleKey, PhantomData<&'a ()>);

impl<'a> OpenKey<'a> {
    pub(crate) fn open(ctx: Ctx<'a>, name: Str, to_write: bool) -> Self {
        let mode = raw::REDISMODULE_READ | if to_write { raw::REDISMODULE_WRITE } else { 0 };
        Self(redis!(RedisModule_OpenKey(ctx.0, name.0, mode.cast_signed())), PhantomData)
    }

    pub(crate) fn is_empty(&self) -> bool {
        isize::try_from(redis!(RedisModule_KeyType(self.0))) == Ok(raw::REDISMODULE_KEYTYPE_EMPTY)
    }

    pub(crate) fn holds_sale(&self) -> bool {
        redis!(RedisModule_ModuleTypeGetType(self.0)) == SALE_TYPE.load(Ordering::Relaxed)
    }

    /// What the key holds, if that is a sale.
    pub(crate) fn stored(&mut self) -> Option<&mut Stored> {
        if !self.holds_sale() {
            return None;
        }
        let value = redis!(RedisModule_ModuleTypeGetValue(self.0)).cast::<Stored>();
        // SAFETY: values of our type are boxes of `Stored`; the borrow of self keeps a second reference away.
        unsafe { value.as_mut() }
    }

    /// Makes the key, which must be open for writing, hold `stored`.
    pub(crate) fn set(&mut self, stored: Stored) {
        let value = Box::into_raw(Box::new(stored)).cast::<c_void>();
        redis!(RedisModule_ModuleTypeSetValue(self.0, SALE_TYPE.load(Ordering::Relaxed), value));
    }
}

impl Drop for OpenKey<'_> {
    fn drop(&mut self) {
        redis!(RedisModule_CloseKey(self.0));
    }
}

extern "C" fn run<C: Command>(ctx: *mut RedisModuleCtx, argv: *mut *mut RedisModuleString, argc: c_int) -> c_int {
    let (ctx, argc) = (Ctx(ctx, PhantomData), usize::try_from(argc).unwrap_or(0));
    // SAFETY: the server hands over `argc` strings that live as long as the call, and `Str` is such a pointer.
    let argv = unsafe { std::slice::from_raw_parts(argv.cast::<Str>(), argc) };
    match guard(|| C::run(&Call::new::<C>(ctx, argv))) {
        Some(Ok(())) => {}
        Some(Err(fault)) => ctx.reply_error(&fault.text(C::NAME)),
        None => ctx.reply_error("ERR flash: the command panicked; the server's log says where. Please report it."),
    }
    OK
}

/// Adds a command to the server.
pub(crate) fn register<C: Command>(ctx: Ctx) -> Result<(), String> {
    let key = c_int::from(C::HAS_KEY);
    let (name, flags) = (C::NAME.as_ptr(), C::FLAGS.as_ptr());
    let status = redis!(RedisModule_CreateCommand(ctx.0, name, Some(run::<C>), flags, key, key, key));
    if status == OK { Ok(()) } else { Err(format!("cannot add the command {:?}", C::NAME)) }
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
    let ctx = Ctx(ctx, PhantomData);
    match guard(|| load(ctx)) {
        Some(Ok(())) => OK,
        Some(Err(problem)) => {
            ctx.log(c"warning", &format!("flash: {problem}"));
            ERR
        }
        None => ERR,
    }
}

fn load(ctx: Ctx) -> Result<(), String> {
    let missing = missing_api();
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
    let swap = RedisModuleEvent { id: raw::REDISMODULE_EVENT_SWAPDB, dataver: 1 };
    redis!(RedisModule_SubscribeToServerEvent(ctx.0, swap, Some(on_swap_db)));
    ctx.log(c"notice", concat!("flash ", env!("CARGO_PKG_VERSION"), " is loaded"));
    Ok(())
}

fn random_hash_key() -> HashKey {
    let mut key = [0u64; 2];
    redis!(RedisModule_GetRandomBytes(key.as_mut_ptr().cast(), size_of_val(&key)));
    HashKey(key)
}

fn create_type(ctx: Ctx) -> Result<(), String> {
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
            ready::list(redis!(RedisModule_GetDbIdFromIO(io)), Str(name.cast_mut(), PhantomData).bytes());
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
        guard(|| ready::list(Ctx(ctx, PhantomData).db(), Str(key, PhantomData).bytes()));
    }
    OK
}

unsafe extern "C" fn on_swap_db(_ctx: *mut RedisModuleCtx, _event: RedisModuleEvent, _sub: u64, data: *mut c_void) {
    // SAFETY: with this event the server sends this struct.
    let swapped = unsafe { &*data.cast::<RedisModuleSwapDbInfo>() };
    guard(|| ready::swap_dbs(swapped.dbnum_first, swapped.dbnum_second));
}
