//! flash-wire
