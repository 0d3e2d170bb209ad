//! Who may call a route, and which routes a listener serves.

use flash_vault::Role;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone.
    Open,
    /// Anyone who reaches the operators' listener: what a browser loads before it has a key to show.
    Inside,
    /// A buyer, about what is theirs; an operator whose key may do what this role may, about any buyer's.
    Buyer(Role),
    /// An operator whose key may do what this role may. A change is in the audit log, its body too: no such route takes
    /// a secret.
    Operator(Role),
    /// The same, and only where the program around the gateway has developer tools.
    Developer(Role),
}

impl Access {
    pub(crate) const READ: Self = Self::Operator(Role::Read);
    pub(crate) const SELL: Self = Self::Operator(Role::Sell);
    pub(crate) const PAY: Self = Self::Operator(Role::Pay);
    pub(crate) const ADMIN: Self = Self::Operator(Role::Admin);

    /// Whether the caller must authenticate, if the listener requires it.
    pub(crate) const fn asks(self) -> bool {
        !matches!(self, Self::Open | Self::Inside)
    }

    /// Whether it is for operators alone.
    pub(crate) const fn is_operators(self) -> bool {
        matches!(self, Self::Operator(_) | Self::Developer(_))
    }
}

/// What a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// What buyers may call.
    Buyers,
    /// All that a gateway can do.
    Whole,
    /// The same, and the developer tools of the program around it.
    Devtools,
}

impl Surface {
    /// Whether a route with this access is there.
    pub(crate) const fn has(self, access: Access) -> bool {
        match self {
            Self::Devtools => true,
            Self::Whole => !matches!(access, Access::Developer(_)),
            Self::Buyers => matches!(access, Access::Open | Access::Buyer(_)),
        }
    }

    /// Whether operators call here.
    pub(crate) const fn is_operators(self) -> bool {
        !matches!(self, Self::Buyers)
    }
}
