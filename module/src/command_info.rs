//! What a command is, in the server's own form: for `COMMAND DOCS`, `COMMAND INFO` and `COMMAND GETKEYS`.

use std::ffi::{CStr, c_int};
use std::ptr;

use redis_module::raw::{
    self, RedisModuleCommandArg, RedisModuleCommandInfo, RedisModuleCommandInfoVersion, RedisModuleCommandKeySpec,
    RedisModuleCommandKeySpec__bindgen_ty_1, RedisModuleCommandKeySpec__bindgen_ty_1__bindgen_ty_1,
    RedisModuleCommandKeySpec__bindgen_ty_2, RedisModuleCommandKeySpec__bindgen_ty_2__bindgen_ty_1,
};

use crate::docs::{Arg, Docs, Kind};

/// A command as the server wants it described.
pub(crate) struct Description<'a> {
    pub(crate) name: &'a CStr,
    pub(crate) flags: &'a CStr,
    /// Whether the first argument is its key.
    pub(crate) has_key: bool,
    pub(crate) info: CommandInfo,
    /// For access lists; a server that takes none from a module ignores them.
    pub(crate) categories: &'a CStr,
}

/// The release that brought every command so far.
const SINCE: &CStr = c"0.1.0";

/// [`Docs`] in the server's own form.
pub(crate) struct CommandInfo {
    info: Box<RedisModuleCommandInfo>,
    /// What `info` points to. Boxes do not move.
    _version: Box<RedisModuleCommandInfoVersion>,
    _keys: Box<[RedisModuleCommandKeySpec]>,
    _args: Vec<Box<[RedisModuleCommandArg]>>,
}

impl CommandInfo {
    pub(crate) fn new(docs: &Docs, has_key: bool, is_write: bool) -> Self {
        let version = Box::new(RedisModuleCommandInfoVersion {
            version: 1,
            sizeof_historyentry: size_of::<raw::RedisModuleCommandHistoryEntry>(),
            sizeof_keyspec: size_of::<RedisModuleCommandKeySpec>(),
            sizeof_arg: size_of::<RedisModuleCommandArg>(),
        });
        let mut keys: Box<[_]> =
            [has_key.then(|| first_argument(is_write)), Some(END_OF_KEYS)].into_iter().flatten().collect();
        let mut groups = Vec::new();
        let info = Box::new(RedisModuleCommandInfo {
            version: &raw const *version,
            summary: docs.summary.as_ptr(),
            complexity: docs.complexity.as_ptr(),
            since: SINCE.as_ptr(),
            history: ptr::null_mut(),
            tips: ptr::null(),
            arity: docs.arity(),
            key_specs: keys.as_mut_ptr(),
            args: args(docs.args, &mut groups),
        });
        Self { info, _version: version, _keys: keys, _args: groups }
    }

    pub(crate) fn as_ptr(&self) -> *const RedisModuleCommandInfo {
        &raw const *self.info
    }
}

/// The list in the server's form, ended as it wants it. `groups` keeps it.
fn args(list: &[Arg], groups: &mut Vec<Box<[RedisModuleCommandArg]>>) -> *mut RedisModuleCommandArg {
    let mut group: Box<[_]> = list.iter().map(|each| arg(each, groups)).chain([END_OF_ARGS]).collect();
    let start = group.as_mut_ptr();
    groups.push(group);
    start
}

fn arg(arg: &Arg, groups: &mut Vec<Box<[RedisModuleCommandArg]>>) -> RedisModuleCommandArg {
    let type_ = match arg.kind {
        Kind::Key => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_KEY,
        Kind::Text => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_STRING,
        Kind::Int => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_INTEGER,
        Kind::Time => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_UNIX_TIME,
        Kind::Flag => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_PURE_TOKEN,
        Kind::Block(_) => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_BLOCK,
        Kind::OneOf(_) => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_ONEOF,
    };
    let optional = if arg.is_optional { raw::REDISMODULE_CMD_ARG_OPTIONAL } else { 0 };
    let repeatable =
        if arg.is_repeatable { raw::REDISMODULE_CMD_ARG_MULTIPLE | raw::REDISMODULE_CMD_ARG_MULTIPLE_TOKEN } else { 0 };
    RedisModuleCommandArg {
        name: arg.name.as_ptr(),
        type_,
        key_spec_index: if matches!(arg.kind, Kind::Key) { 0 } else { NO_KEY },
        token: arg.token.map_or(ptr::null(), CStr::as_ptr),
        flags: (optional | repeatable).cast_signed(),
        subargs: match arg.kind {
            Kind::Block(list) | Kind::OneOf(list) => args(list, groups),
            _ => ptr::null_mut(),
        },
        ..END_OF_ARGS
    }
}

const NO_KEY: c_int = -1;

const END_OF_ARGS: RedisModuleCommandArg = RedisModuleCommandArg {
    name: ptr::null(),
    type_: raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_STRING,
    key_spec_index: 0,
    token: ptr::null(),
    summary: ptr::null(),
    since: ptr::null(),
    flags: 0,
    deprecated_since: ptr::null(),
    subargs: ptr::null_mut(),
    display_text: ptr::null(),
};

const END_OF_KEYS: RedisModuleCommandKeySpec = RedisModuleCommandKeySpec {
    notes: ptr::null(),
    flags: 0,
    begin_search_type: raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_INVALID,
    bs: RedisModuleCommandKeySpec__bindgen_ty_1 {
        index: RedisModuleCommandKeySpec__bindgen_ty_1__bindgen_ty_1 { pos: 0 },
    },
    find_keys_type: raw::RedisModuleKeySpecFindKeysType_REDISMODULE_KSPEC_FK_OMITTED,
    fk: RedisModuleCommandKeySpec__bindgen_ty_2 {
        range: RedisModuleCommandKeySpec__bindgen_ty_2__bindgen_ty_1 { lastkey: 0, keystep: 1, limit: 0 },
    },
};

/// The key is the first argument, and the only one.
fn first_argument(is_write: bool) -> RedisModuleCommandKeySpec {
    let access = if is_write {
        raw::REDISMODULE_CMD_KEY_RW | raw::REDISMODULE_CMD_KEY_ACCESS | raw::REDISMODULE_CMD_KEY_UPDATE
    } else {
        raw::REDISMODULE_CMD_KEY_RO | raw::REDISMODULE_CMD_KEY_ACCESS
    };
    RedisModuleCommandKeySpec {
        flags: access.into(),
        begin_search_type: raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_INDEX,
        bs: RedisModuleCommandKeySpec__bindgen_ty_1 {
            index: RedisModuleCommandKeySpec__bindgen_ty_1__bindgen_ty_1 { pos: 1 },
        },
        find_keys_type: raw::RedisModuleKeySpecFindKeysType_REDISMODULE_KSPEC_FK_RANGE,
        ..END_OF_KEYS
    }
}
