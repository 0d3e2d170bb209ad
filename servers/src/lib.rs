//! flash-servers
