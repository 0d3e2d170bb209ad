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
    /// The same, where Redis keeps its file once a second, as it does by default.
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
    NginxReserveEverySec,
    NginxSoldOut,
    NodeReserve,
    NodeReserveEverySec,
    NodeSoldOut,
    /// hyper alone, which says the same to all.
    PlainGet,
    /// The same, where the request has the body of a reservation, which is read.
    PlainPost,
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Flash,
    Nginx,
    Node,
    Plain,
}

impl Subject {
    pub(crate) const ALL: [Self; 15] = [
        Self::Floor,
        Self::Reserve,
        Self::ReserveEverySec,
        Self::SoldOutOnce,
        Self::SoldOutAgain,
        Self::SoldOutOfTwo,
        Self::NginxFloor,
        Self::NginxReserve,
        Self::NginxReserveEverySec,
        Self::NginxSoldOut,
        Self::NodeReserve,
        Self::NodeReserveEverySec,
        Self::NodeSoldOut,
        Self::PlainGet,
        Self::PlainPost,
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
            Self::NginxReserveEverySec => "nginx + Lua: reserve, `appendfsync everysec`",
            Self::NginxSoldOut => "nginx + Lua: sold out",
            Self::NodeReserve => "Node: reserve",
            Self::NodeReserveEverySec => "Node: reserve, `appendfsync everysec`",
            Self::NodeSoldOut => "Node: sold out",
            Self::PlainGet => "hyper alone: GET",
            Self::PlainPost => "hyper alone: POST, its body read",
        }
    }

    pub(crate) const fn server(self) -> Server {
        match self {
            Self::Floor | Self::Reserve | Self::ReserveEverySec => Server::Flash,
            Self::SoldOutOnce | Self::SoldOutAgain | Self::SoldOutOfTwo => Server::Flash,
            Self::NginxFloor | Self::NginxReserve | Self::NginxReserveEverySec | Self::NginxSoldOut => Server::Nginx,
            Self::NodeReserve | Self::NodeReserveEverySec | Self::NodeSoldOut => Server::Node,
            Self::PlainGet | Self::PlainPost => Server::Plain,
        }
    }

    /// The sale's id, apart from the round.
    const fn slug(self) -> &'static str {
        match self {
            Self::Reserve | Self::NginxReserve => "open",
            Self::ReserveEverySec | Self::NginxReserveEverySec => "open-everysec",
            Self::NodeReserve => "open-node",
            Self::NodeReserveEverySec => "open-node-everysec",
            Self::SoldOutOnce | Self::NginxSoldOut => "sold",
            Self::SoldOutAgain => "sold-again",
            Self::SoldOutOfTwo => "sold-of-two",
            Self::NodeSoldOut => "sold-node",
            Self::Floor | Self::NginxFloor | Self::PlainGet | Self::PlainPost => "",
        }
    }

    pub(crate) fn sale(self, round: u32) -> String {
        format!("{}-{round}", self.slug())
    }

    /// Whether its requests are sold something.
    const fn sells(self) -> bool {
        use Subject::{NginxReserve, NginxReserveEverySec, NodeReserve, NodeReserveEverySec, Reserve, ReserveEverySec};
        matches!(
            self,
            Reserve | ReserveEverySec | NginxReserve | NginxReserveEverySec | NodeReserve | NodeReserveEverySec
        )
    }

    /// Units of its sale: each that is sold out had one, and sold it.
    pub(crate) const fn units(self) -> Option<u64> {
        match self {
            Self::Floor | Self::NginxFloor | Self::PlainGet | Self::PlainPost => None,
            _ if self.sells() => Some(UNITS),
            _ => Some(1),
        }
    }

    /// When Redis has its file on the disk.
    pub(crate) const fn appendfsync(self) -> &'static str {
        match self {
            Self::ReserveEverySec | Self::NginxReserveEverySec | Self::NodeReserveEverySec => "everysec",
            _ => "always",
        }
    }

    /// Units that one buyer may have.
    pub(crate) const fn limit(self) -> u32 {
        if matches!(self, Self::SoldOutOfTwo) { 2 } else { 1 }
    }

    pub(crate) fn request(self, round: u32) -> Request {
        let sale = self.sale(round);
        match self {
            Self::Floor | Self::PlainGet => Request::get("/livez"),
            Self::NginxFloor => Request::get("/200"),
            _ if self.sells() => Request::reserve(&sale, Buyers::New, 201),
            Self::SoldOutAgain => Request::reserve(&sale, Buyers::Same(REFUSED_BUYERS), 409),
            _ => Request::reserve(&sale, Buyers::New, 409),
        }
    }
}
