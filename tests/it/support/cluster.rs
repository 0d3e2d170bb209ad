//! Three nodes of a Redis Cluster, and a client that goes where it is sent.

use redis::{Connection, Value};

use super::redis::{Server, info, run, try_run};
use super::wait;

const SLOTS: usize = 16_384;

/// Three primaries that share the slots evenly.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
}

/// One of them.
pub(crate) struct Node {
    pub(crate) server: Server,
    /// What the others call it.
    pub(crate) id: String,
    bus_port: u16,
}

impl Cluster {
    /// Starts them, and returns once each knows that all slots are served.
    pub(crate) fn start() -> Self {
        let cluster = Self { nodes: (0..3).map(Node::start).collect() };
        let first = &mut cluster.nodes[0].server.connect();
        for node in &cluster.nodes[1..] {
            let (port, bus_port) = (node.port(), node.bus_port);
            let _: Value = run(first, &format!("CLUSTER MEET 127.0.0.1 {port} {bus_port}"));
        }
        for node in &cluster.nodes {
            let connection = &mut node.server.connect();
            wait::until("the cluster", || {
                let info: String = run(connection, "CLUSTER INFO");
                let has = |field: &str| info.lines().any(|line| line == field);
                (has("cluster_state:ok") && has("cluster_known_nodes:3") && has("cluster_size:3")).then_some(())
            });
        }
        cluster
    }

    /// The place of the node that serves `key`, and the key's slot.
    pub(crate) fn owner(&self, key: &str) -> (usize, usize) {
        let slot: usize = run(&mut self.nodes[0].server.connect(), &format!("CLUSTER KEYSLOT {key}"));
        let owner = (0..self.nodes.len()).find(|place| slots(*place).contains(&slot)).expect("every slot is served");
        (owner, slot)
    }
}

/// The slots that a node serves at first.
fn slots(place: usize) -> std::ops::Range<usize> {
    place * SLOTS / 3..(place + 1) * SLOTS / 3
}

impl Node {
    fn start(place: usize) -> Self {
        let bus_port = flash_servers::free_port().expect("a free port");
        let server = Server::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus_port.to_string()]);
        let connection = &mut server.connect();
        assert_eq!(info(connection, "cluster", "cluster_enabled"), "1");
        let id = run(connection, "CLUSTER MYID");
        let _: Value = run(connection, &format!("CLUSTER SET-CONFIG-EPOCH {}", place + 1));
        let slots = slots(place);
        let _: Value = run(connection, &format!("CLUSTER ADDSLOTSRANGE {} {}", slots.start, slots.end - 1));
        Self { server, id, bus_port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.redis.server.port()
    }
}

/// A client that believes that one node serves its key, until a node redirects it.
pub(crate) struct Client {
    connections: Vec<(u16, Connection)>,
    believed: usize,
    /// How often it was redirected to another node.
    pub(crate) moved: usize,
    /// How often it was sent to another node for this once.
    pub(crate) asked: usize,
}

impl Client {
    /// One that asks the node at `believed` first.
    pub(crate) fn of(cluster: &Cluster, believed: usize) -> Self {
        let connections = cluster.nodes.iter().map(|node| (node.port(), node.server.connect())).collect();
        Self { connections, believed, moved: 0, asked: 0 }
    }

    /// Runs a command of words wherever it is to be run.
    pub(crate) fn run(&mut self, command: &str) -> Value {
        let error = match try_run(&mut self.connections[self.believed].1, command) {
            Ok(reply) => return reply,
            Err(error) => error,
        };
        let words: Vec<&str> = error.split(' ').collect();
        let ["MOVED" | "ASK", _, address] = words[..] else { panic!("{command}: {error}") };
        let place = self.place(address);
        if words[0] == "MOVED" {
            (self.moved, self.believed) = (self.moved + 1, place);
            return self.run(command);
        }
        self.asked += 1;
        let asked = &mut self.connections[place].1;
        let _: Value = run(asked, "ASKING");
        run(asked, command)
    }

    fn place(&self, address: &str) -> usize {
        let port: u16 = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("an address");
        self.connections.iter().position(|(of, _)| *of == port).expect("one of the nodes")
    }
}
