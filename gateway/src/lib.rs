//! flash-gateway
