//! What is measured, and what each of it is asked.

use crate::request::{Buyers, Request};

/// Units of a sale that is not to sell out.
pub(crate) const UNITS: u64 = 50_000_000;
/// Those who ask again and again once everything is sold.
const REFUSED_BUYERS: u64 = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Our gateway, asked whether it lives: what HTTP itself costs here.
    Floor,
    /// Our gateway, each request another buyer's.
    Reserve,
    /// The same, where Redis keeps its file once a second, as it does where nobody asks it for more.
    ReserveEverySec,
    /// Our gateway, when everything is sold, each request another buyer's.
    SoldOutOnce,
    /// Our gateway, when everything is sold, by buyers who ask again.
    SoldOutAgain,
    /// Our gateway, when everything of a sale is sold in which a buyer may have two, each request another buyer's.
    SoldOutOfTwo,
    /// nginx, which says the same to all.
    NginxFloor,
    NginxReserve,
    NginxSoldOut,
    NodeReserve,
    NodeSoldOut,
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Flash,
    Nginx,
    Node,
}

impl Subject {
    pub(crate) const ALL: [Self; 11] = [
        Self::Floor,
        Self::Reserve,
        Self::ReserveEverySec,
        Self::SoldOutOnce,
        Self::SoldOutAgain,
        Self::SoldOutOfTwo,
        Self::NginxFloor,
        Self::NginxReserve,
        Self::NginxSoldOut,
        Self::NodeReserve,
        Self::NodeSoldOut,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "Flash: `/livez`, the floor",
            Self::Reserve => "Flash: reserve",
            Self::ReserveEverySec => "Flash: reserve, `appendfsync everysec`",
            Self::SoldOutOnce => "Flash: sold out, each buyer once",
            Self::SoldOutAgain => "Flash: sold out, buyers who ask again",
            Self::SoldOutOfTwo => "Flash: sold out, two a buyer, each buyer once",
            Self::NginxFloor => "nginx: `return 200`",
            Self::NginxReserve => "nginx + Lua: reserve",
            Self::NginxSoldOut => "nginx + Lua: sold out",
            Self::NodeReserve => "Node: reserve",
            Self::NodeSoldOut => "Node: sold out",
        }
    }

    pub(crate) const fn server(self) -> Server {
        match self {
            Self::Floor | Self::Reserve | Self::ReserveEverySec => Server::Flash,
            Self::SoldOutOnce | Self::SoldOutAgain | Self::SoldOutOfTwo => Server::Flash,
            Self::NginxFloor | Self::NginxReserve | Self::NginxSoldOut => Server::Nginx,
            Self::NodeReserve | Self::NodeSoldOut => Server::Node,
        }
    }

    /// The sale's id, apart from the round.
    const fn slug(self) -> &'static str {
        match self {
            Self::Reserve | Self::NginxReserve => "open",
            Self::ReserveEverySec => "open-everysec",
            Self::NodeReserve => "open-node",
            Self::SoldOutOnce | Self::NginxSoldOut => "sold",
            Self::SoldOutAgain => "sold-again",
            Self::SoldOutOfTwo => "sold-of-two",
            Self::NodeSoldOut => "sold-node",
            Self::Floor | Self::NginxFloor => "",
        }
    }

    pub(crate) fn sale(self, round: u32) -> String {
        format!("{}-{round}", self.slug())
    }

    /// Units of its sale: each that is sold out had one, and sold it.
    pub(crate) const fn units(self) -> Option<u64> {
        match self {
            Self::Floor | Self::NginxFloor => None,
            Self::Reserve | Self::ReserveEverySec | Self::NginxReserve | Self::NodeReserve => Some(UNITS),
            _ => Some(1),
        }
    }

    /// When Redis has its file on the disk.
    pub(crate) const fn appendfsync(self) -> &'static str {
        if matches!(self, Self::ReserveEverySec) { "everysec" } else { "always" }
    }

    /// Units that one buyer may have.
    pub(crate) const fn limit(self) -> u32 {
        if matches!(self, Self::SoldOutOfTwo) { 2 } else { 1 }
    }

    pub(crate) fn request(self, round: u32) -> Request {
        let sale = self.sale(round);
        match self {
            Self::Floor => Request::get("/livez"),
            Self::NginxFloor => Request::get("/200"),
            Self::Reserve | Self::ReserveEverySec | Self::NginxReserve | Self::NodeReserve => {
                Request::reserve(&sale, Buyers::New, 201)
            }
            Self::SoldOutAgain => Request::reserve(&sale, Buyers::Same(REFUSED_BUYERS), 409),
            _ => Request::reserve(&sale, Buyers::New, 409),
        }
    }
}
