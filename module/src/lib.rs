//! flash-module
