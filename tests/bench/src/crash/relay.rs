//! What stands before the hosts: one address that does not change, whichever hosts live. It knows bytes only, so that an answer
//! reaches Meta's stand-in when a host wrote it and not otherwise; and it cuts connections, as networks do.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::crash::dice::Dice;

/// Stops when it is dropped.
pub(crate) struct Relay {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    hosts: Arc<Mutex<Vec<SocketAddr>>>,
    serving: JoinHandle<()>,
}

impl Relay {
    /// Listens on a port of the system's choice; there are no hosts yet.
    pub(crate) async fn start(dice: Dice) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let hosts = Arc::new(Mutex::new(Vec::new()));
        let serving = tokio::spawn(serve(listener, Arc::clone(&hosts), dice));
        Ok(Self { address, hosts, serving })
    }

    /// From now on connections go to these hosts in turn; without any they are closed at once.
    pub(crate) fn lead_to(&self, hosts: Vec<SocketAddr>) {
        *self.hosts.lock().unwrap_or_else(PoisonError::into_inner) = hosts;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, hosts: Arc<Mutex<Vec<SocketAddr>>>, mut dice: Dice) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((outside, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let host = {
            let hosts = hosts.lock().unwrap_or_else(PoisonError::into_inner);
            hosts.get(dice.place(hosts.len())).copied()
        };
        let (Some(host), life) = (host, dice.millis(50, 600)) else { continue };
        connections.spawn(carry(outside, host, life));
    }
}

async fn carry(mut outside: TcpStream, host: SocketAddr, life: Duration) {
    let Ok(mut inside) = TcpStream::connect(host).await else { return };
    // Cut at the end of its life whatever is under way; Meta's stand-in sends again what was not answered.
    drop(timeout(life, copy_bidirectional(&mut outside, &mut inside)).await);
}
