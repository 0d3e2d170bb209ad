//! flash-broker
