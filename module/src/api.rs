//! The one file that speaks Redis's C API, and the only one with `unsafe` in it. Everything here is a thin, safe face.
//! What the server calls is a trait here, which a file above implements: [`Module`], [`Entry`], [`Moves`].
//!
//! Three rules make it sound. The server calls every function here on its main thread, but for `free`, which may run on
//! a background thread and touches nothing but the value. Pointers that the server hands to a callback live as long as
//! that call, and so do the types that wrap them. No panic crosses into C: each callback runs inside [`guard`].

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use flash_sale::Mover;
use redis_module::alloc::RedisAlloc;
use redis_module::raw::{
    self, RedisModuleCtx, RedisModuleDefragCtx, RedisModuleDigest, RedisModuleEvent, RedisModuleIO, RedisModuleKey,
    RedisModuleString, RedisModuleSwapDbInfo, RedisModuleType, RedisModuleTypeMethods,
};

use crate::Flash;
use crate::clock_offset;
use crate::command_info::Description;
use crate::guard::guard;
use crate::value::Value;

#[global_allocator]
static ALLOCATOR: RedisAlloc = RedisAlloc;

const MODULE_VERSION: c_int = 1;
const API_VERSION: c_int = raw::REDISMODULE_APIVER_1.cast_signed();

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
pub(crate) fn missing_api() -> Vec<&'static str> {
    // SAFETY: the table of functions is filled once, before this.
    let functions = unsafe {
        [
            ("ReplyWithMap", { raw::RedisModule_ReplyWithMap }.is_some()),
            ("GetDbIdFromIO", { raw::RedisModule_GetDbIdFromIO }.is_some()),
            ("SetAbsExpire", { raw::RedisModule_SetAbsExpire }.is_some()),
            ("SignalModifiedKey", { raw::RedisModule_SignalModifiedKey }.is_some()),
        ]
    };
    functions.into_iter().filter(|(_, is_there)| !is_there).map(|(name, _)| name).collect()
}

/// The server's clock, Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(clock_offset::add(redis!(RedisModule_Milliseconds()))).unwrap_or(0)
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
    pub(crate) fn db(self) -> i32 {
        redis!(RedisModule_GetSelectedDb(self.0))
    }

    pub(crate) fn client_id(self) -> u64 {
        redis!(RedisModule_GetClientId(self.0))
    }

    /// Sends `command` with a key, and a payload if it takes one, to replicas and the AOF.
    pub(crate) fn replicate(self, command: &CStr, key: Str, payload: Option<&[u8]>) {
        let format = if payload.is_some() { c"sb" } else { c"s" }.as_ptr();
        let payload = payload.unwrap_or_default();
        let (payload, length) = (payload.as_ptr().cast::<c_char>(), payload.len());
        redis!(RedisModule_Replicate(self.0, command.as_ptr(), format, key.0, payload, length));
    }

    /// Sends `command` with a key, an option and its number to replicas and the AOF.
    pub(crate) fn replicate_option(self, command: &CStr, key: Str, option: &CStr, number: u64) {
        let (format, number) = (c"scl".as_ptr(), number.cast_signed());
        redis!(RedisModule_Replicate(self.0, command.as_ptr(), format, key.0, option.as_ptr(), number));
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

    /// For the bindings' own functions.
    pub(crate) const fn raw(self) -> *mut RedisModuleCtx {
        self.0
    }

    /// Adds a category of commands for access lists; false: the server lets no module do so (Redis before 7.4).
    pub(crate) fn add_acl_category(self, name: &CStr) -> bool {
        // SAFETY: the table of functions is filled, the context is the server's, the name a C string.
        unsafe { raw::RedisModule_AddACLCategory.is_some_and(|add| add(self.0, name.as_ptr()) == OK) }
    }

    /// Publishes the keyspace event `event` about `key`.
    pub(crate) fn notify(self, event: &CStr, key: Str) {
        redis!(RedisModule_NotifyKeyspaceEvent(self.0, raw::REDISMODULE_NOTIFY_MODULE, event.as_ptr(), key.0));
    }

    /// Reads what the server's configuration says of the settings that were added.
    pub(crate) fn load_configs(self) -> Result<(), String> {
        let problem = "cannot take its settings: the log says which one";
        if redis!(RedisModule_LoadConfigs(self.0)) == OK { Ok(()) } else { Err(problem.to_owned()) }
    }

    pub(crate) fn random(self) -> [u64; 2] {
        let mut random = [0u64; 2];
        redis!(RedisModule_GetRandomBytes(random.as_mut_ptr().cast(), size_of_val(&random)));
        random
    }

    pub(crate) fn log(self, level: &CStr, text: &str) {
        let text = CString::new(text).unwrap_or_default();
        redis!(RedisModule_Log(self.0, level.as_ptr(), c"%s".as_ptr(), text.as_ptr()));
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

    pub(crate) fn holds<V: Native>(&self) -> bool {
        redis!(RedisModule_ModuleTypeGetType(self.0)) == V::native().get()
    }

    /// What the key holds, if that is a `V`.
    pub(crate) fn value<V: Native>(&mut self) -> Option<&mut V> {
        if !self.holds::<V>() {
            return None;
        }
        let value = redis!(RedisModule_ModuleTypeGetValue(self.0)).cast::<V>();
        // SAFETY: values of a native type are boxes of its `V`; the borrow of self keeps a second reference away.
        unsafe { value.as_mut() }
    }

    /// Sets when the key, which must be open for writing and not empty, is thrown away: Unix milliseconds.
    pub(crate) fn expire_at(&mut self, at_ms: u64) {
        redis!(RedisModule_SetAbsExpire(self.0, at_ms.cast_signed()));
    }

    /// Makes the key, which must be open for writing, hold `value`.
    pub(crate) fn set<V: Native>(&mut self, value: V) {
        let value = Box::into_raw(Box::new(value)).cast::<c_void>();
        redis!(RedisModule_ModuleTypeSetValue(self.0, V::native().get(), value));
    }
}

impl Drop for OpenKey<'_> {
    fn drop(&mut self) {
        redis!(RedisModule_CloseKey(self.0));
    }
}

/// What runs when a client sends a command.
pub(crate) trait Entry {
    /// Runs it and writes one reply.
    fn enter(ctx: Ctx, argv: &[Str]);
    /// Writes the reply of one that panicked.
    fn panicked(ctx: Ctx);
}

extern "C" fn run<E: Entry>(ctx: *mut RedisModuleCtx, argv: *mut *mut RedisModuleString, argc: c_int) -> c_int {
    let (ctx, argc) = (Ctx(ctx, PhantomData), usize::try_from(argc).unwrap_or(0));
    // SAFETY: the server hands over `argc` strings that live as long as the call, and `Str` is such a pointer.
    let argv = unsafe { std::slice::from_raw_parts(argv.cast::<Str>(), argc) };
    if guard(|| E::enter(ctx, argv)).is_none() {
        E::panicked(ctx);
    }
    OK
}

/// Adds a command to the server.
pub(crate) fn register<E: Entry>(ctx: Ctx, description: &Description) -> Result<(), String> {
    let Description { name, flags, has_key, info, categories } = description;
    let key = c_int::from(*has_key);
    let failed = |what| Err(format!("cannot {what} the command {name:?}"));
    let (name, flags, categories) = (name.as_ptr(), flags.as_ptr(), categories.as_ptr());
    if redis!(RedisModule_CreateCommand(ctx.0, name, Some(run::<E>), flags, key, key, key)) != OK {
        return failed("add");
    }
    let command = redis!(RedisModule_GetCommand(ctx.0, name));
    if redis!(RedisModule_SetCommandInfo(command, info.as_ptr())) != OK {
        return failed("describe");
    }
    // SAFETY: the table of functions is filled, but for this one in Redis 7.0; the command is the one just made.
    let is_done = unsafe { raw::RedisModule_SetCommandACLCategories.is_none_or(|set| set(command, categories) == OK) };
    if is_done { Ok(()) } else { failed("categorise") }
}

/// What the crate does when the server loads it.
pub(crate) trait Module {
    /// Registers everything. An error refuses the load, and the server's log has its text.
    fn load(ctx: Ctx) -> Result<(), String>;
}

/// What `MODULE LOAD` and `loadmodule` call, with pointers that live as long as the call.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn RedisModule_OnLoad(
    ctx: *mut RedisModuleCtx,
    _argv: *mut *mut RedisModuleString,
    _argc: c_int,
) -> c_int {
    // Nothing may be allocated before this call: the allocator is the server's.
    // SAFETY: the context is the server's, the name a C string.
    if unsafe { raw::Export_RedisModule_Init(ctx, c"flash".as_ptr(), MODULE_VERSION, API_VERSION) } != OK {
        return ERR;
    }
    let ctx = Ctx(ctx, PhantomData);
    match guard(|| Flash::load(ctx)) {
        Some(Ok(())) => OK,
        Some(Err(problem)) => {
            ctx.log(c"warning", &problem);
            ERR
        }
        None => ERR,
    }
}

/// A value of which the server knows the type.
pub(crate) trait Native: Value {
    /// The type, as the server knows it.
    fn native() -> &'static NativeType<Self>;
}

/// A type that keys can hold, once the server knows it. It belongs to one type of values: that is what makes a pointer
/// of the server's a reference again.
pub(crate) struct NativeType<V>(AtomicPtr<RedisModuleType>, PhantomData<fn() -> V>);

impl<V: Value> NativeType<V> {
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()), PhantomData)
    }

    fn get(&self) -> *mut RedisModuleType {
        self.0.load(Ordering::Relaxed)
    }

    /// Tells the server of the type.
    pub(crate) fn create(&self, ctx: Ctx) -> Result<(), String> {
        // SAFETY: the struct is plain C data, for which zero means: no such method.
        let mut methods: RedisModuleTypeMethods = unsafe { std::mem::zeroed() };
        methods.version = raw::REDISMODULE_TYPE_METHOD_VERSION.into();
        methods.rdb_load = Some(rdb_load::<V>);
        methods.rdb_save = Some(rdb_save::<V>);
        methods.aof_rewrite = Some(aof_rewrite::<V>);
        methods.free = Some(free::<V>);
        methods.digest = Some(digest::<V>);
        methods.mem_usage = Some(mem_usage::<V>);
        methods.free_effort = Some(free_effort::<V>);
        methods.copy = Some(copy::<V>);
        methods.defrag = Some(defrag::<V>);
        let name = V::TYPE_NAME;
        let created = redis!(RedisModule_CreateDataType(ctx.0, name.as_ptr(), V::TYPE_VERSION, &raw mut methods));
        self.0.store(created, Ordering::Relaxed);
        let problem = || format!("cannot create the type {name:?}: is another version loaded?");
        if created.is_null() { Err(problem()) } else { Ok(()) }
    }
}

/// A value that the server lends to a callback.
fn lent<'a, V: Value>(value: *const c_void) -> &'a V {
    // SAFETY: the callback belongs to the type of `V`, whose values are boxes; the server keeps this one meanwhile.
    unsafe { &*value.cast::<V>() }
}

unsafe extern "C" fn rdb_load<V: Value>(io: *mut RedisModuleIO, version: c_int) -> *mut c_void {
    let load = || {
        if version != V::TYPE_VERSION {
            return Err(format!("its type version is {version}, written by another release"));
        }
        let bytes = raw::load_string_buffer(io).map_err(|_| "it is cut short".to_owned())?;
        let mut value = V::load(bytes.as_ref()).map_err(|malformed| malformed.to_string())?;
        let name = redis!(RedisModule_GetKeyNameFromIO(io));
        if !name.is_null() {
            value.was_loaded(redis!(RedisModule_GetDbIdFromIO(io)), Str(name.cast_mut(), PhantomData).bytes());
        }
        Ok(value)
    };
    let problem = match guard(load) {
        Some(Ok(value)) => return Box::into_raw(Box::new(value)).cast(),
        Some(Err(problem)) => problem,
        None => "loading it panicked".to_owned(),
    };
    let text = CString::new(format!("cannot load a {:?}: {problem}", V::TYPE_NAME)).unwrap_or_default();
    redis!(RedisModule_LogIOError(io, c"warning".as_ptr(), c"%s".as_ptr(), text.as_ptr()));
    ptr::null_mut()
}

unsafe extern "C" fn rdb_save<V: Value>(io: *mut RedisModuleIO, value: *mut c_void) {
    // Nothing at all would make the file unreadable from here on; nothing between quotes is one value that is refused.
    raw::save_slice(io, &guard(|| lent::<V>(value).save()).unwrap_or_default());
}

unsafe extern "C" fn aof_rewrite<V: Value>(io: *mut RedisModuleIO, key: *mut RedisModuleString, value: *mut c_void) {
    if let Some(bytes) = guard(|| lent::<V>(value).save()) {
        let payload = bytes.as_ptr().cast::<c_char>();
        redis!(RedisModule_EmitAOF(io, V::LOAD.as_ptr(), c"sb".as_ptr(), key, payload, bytes.len()));
    }
}

unsafe extern "C" fn free<V: Value>(value: *mut c_void) {
    // SAFETY: the server gives the value up, and it was a box.
    guard(|| drop(unsafe { Box::from_raw(value.cast::<V>()) }));
}

unsafe extern "C" fn digest<V: Value>(digest: *mut RedisModuleDigest, value: *mut c_void) {
    if let Some(bytes) = guard(|| lent::<V>(value).save()) {
        redis!(RedisModule_DigestAddStringBuffer(digest, bytes.as_ptr().cast(), bytes.len()));
        redis!(RedisModule_DigestEndSequence(digest));
    }
}

unsafe extern "C" fn mem_usage<V: Value>(value: *const c_void) -> usize {
    guard(|| lent::<V>(value).memory_bytes()).unwrap_or(0)
}

unsafe extern "C" fn free_effort<V: Value>(_key: *mut RedisModuleString, value: *const c_void) -> usize {
    guard(|| lent::<V>(value).allocations()).unwrap_or(0)
}

unsafe extern "C" fn copy<V: Value>(
    _: *mut RedisModuleString,
    _: *mut RedisModuleString,
    value: *const c_void,
) -> *mut c_void {
    let copied = guard(|| lent::<V>(value).copy()).flatten();
    copied.map_or(ptr::null_mut(), |value| Box::into_raw(Box::new(value)).cast())
}

/// Lets the server's allocator have memory back that is scattered.
struct Defrag(*mut RedisModuleDefragCtx);

impl Mover for Defrag {
    fn moved<T>(&mut self, piece: Vec<T>) -> Vec<T> {
        if piece.capacity() == 0 || size_of::<T>() == 0 {
            return piece;
        }
        let mut piece = ManuallyDrop::new(piece);
        let (old, length, capacity) = (piece.as_mut_ptr(), piece.len(), piece.capacity());
        let new = redis!(RedisModule_DefragAlloc(self.0, old.cast())).cast::<T>();
        // SAFETY: the piece is the allocator's. What the server gives is a copy of all of it, the old one being freed;
        // or nothing, the old one being left as it is.
        unsafe { Vec::from_raw_parts(if new.is_null() { old } else { new }, length, capacity) }
    }
}

unsafe extern "C" fn defrag<V: Value>(
    ctx: *mut RedisModuleDefragCtx,
    _key: *mut RedisModuleString,
    value: *mut *mut c_void,
) -> c_int {
    // A small value is moved at once, without a cursor: then it stays 0.
    let mut next = 0;
    redis!(RedisModule_DefragCursorGet(ctx, &raw mut next));
    if next == 0 {
        // SAFETY: the server lends the place where it keeps the value, which is a box and may lie anywhere.
        unsafe {
            let moved = raw::RedisModule_DefragAlloc.map_or(ptr::null_mut(), |defrag| defrag(ctx, *value));
            *value = if moved.is_null() { *value } else { moved };
        }
    }
    // SAFETY: the value is a box of `V`, and no other code has it during the callback.
    let value = unsafe { &mut *(*value).cast::<V>() };
    while let Some(Some(from)) = guard(|| value.defrag(next, &mut Defrag(ctx))) {
        next = from;
        if redis!(RedisModule_DefragShouldStop(ctx)) != 0 {
            redis!(RedisModule_DefragCursorSet(ctx, next));
            return 1;
        }
    }
    0
}

/// What is done when keys come to another place without any command of ours.
pub(crate) trait Moves {
    /// The key `name` holds what another one held.
    fn came(ctx: Ctx, name: Str);
    /// Two databases have changed places.
    fn swapped(first: i32, second: i32);
}

/// Asks the server to say when a key gets another name, and when databases change places.
pub(crate) fn subscribe<M: Moves>(ctx: Ctx) {
    redis!(RedisModule_SubscribeToKeyspaceEvents(ctx.0, raw::REDISMODULE_NOTIFY_GENERIC, Some(on_keyspace_event::<M>)));
    let swap = RedisModuleEvent { id: raw::REDISMODULE_EVENT_SWAPDB, dataver: 1 };
    raw::subscribe_to_server_event(ctx.0, swap, Some(on_swap_db::<M>));
}

extern "C" fn on_keyspace_event<M: Moves>(
    ctx: *mut RedisModuleCtx,
    _type: c_int,
    event: *const c_char,
    key: *mut RedisModuleString,
) -> c_int {
    // SAFETY: the server gives the event's name as a C string.
    let event = unsafe { CStr::from_ptr(event) };
    if [c"rename_to", c"copy_to", c"move_to"].contains(&event) {
        guard(|| M::came(Ctx(ctx, PhantomData), Str(key, PhantomData)));
    }
    OK
}

unsafe extern "C" fn on_swap_db<M: Moves>(_: *mut RedisModuleCtx, _: RedisModuleEvent, _: u64, data: *mut c_void) {
    // SAFETY: with this event the server sends this struct.
    let swapped = unsafe { &*data.cast::<RedisModuleSwapDbInfo>() };
    guard(|| M::swapped(swapped.dbnum_first, swapped.dbnum_second));
}
