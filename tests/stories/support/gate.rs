//! A gate before the simulator's Graph API: shut, connections are refused; open, they pass.

use std::net::SocketAddr;

use tokio::net::{TcpSocket, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// A port that leads to the simulator once it is open.
pub(crate) struct Gate {
    address: SocketAddr,
    to: SocketAddr,
    /// Bound and not listening: nobody else gets the port, and the system refuses connections.
    shut: Option<TcpSocket>,
    passing: Option<AbortOnDropHandle<()>>,
}

impl Gate {
    /// A gate that is shut.
    pub(crate) fn shut(to: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = socket.local_addr().unwrap();
        Self { address, to, shut: Some(socket), passing: None }
    }

    /// What stands in the configuration in place of Meta's address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets connections pass from now on.
    pub(crate) fn open(&mut self) {
        let listener = self.shut.take().unwrap().listen(64).unwrap();
        let to = self.to;
        self.passing = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut onward = TcpStream::connect(to).await.unwrap();
                    // Either side may end the connection at any time; that is no news.
                    drop(tokio::io::copy_bidirectional(&mut from, &mut onward).await);
                });
            }
        })));
    }
}
