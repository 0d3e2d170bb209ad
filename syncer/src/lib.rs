//! flash-syncer
