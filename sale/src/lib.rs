//! flash-sale
