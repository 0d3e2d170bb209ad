//! flash-vault
