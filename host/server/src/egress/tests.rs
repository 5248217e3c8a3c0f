//! Tests of the guard against a small server on a port of its own.

use std::net::SocketAddr;

use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(5), response_bytes: 16 };

/// A server that takes one connection, reads the head of the request and gives `answer`; `None` leaves it unanswered until
/// the other side goes. Tells how many requests arrived.
async fn server(answer: Option<&'static str>) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (arrived, arrivals) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut head = vec![0; 4_096];
            let n = connection.read(&mut head).await.unwrap_or(0);
            arrived.send(String::from_utf8_lossy(&head[..n]).into_owned()).unwrap();
            match answer {
                Some(answer) => drop(connection.write_all(answer.as_bytes()).await),
                None => drop(connection.read(&mut head).await),
            }
        }
    });
    (origin, arrivals)
}

fn open(private_origins: &[&str]) -> Egress {
    let private_origins = private_origins.iter().map(|origin| (*origin).to_owned()).collect();
    Egress::new(&EgressConfig { private_origins, ..EgressConfig::default() }).unwrap()
}

fn get(url: &str) -> Request {
    Request::new(Method::GET, url.parse().unwrap())
}

async fn refusal(egress: &Egress, url: &str) -> Option<Refusal> {
    match egress.send(get(url), LIMITS).await {
        Err(EgressError::Refused(refusal)) => Some(refusal),
        Ok(_) | Err(_) => None,
    }
}

#[tokio::test]
async fn a_listed_origin_is_reached_and_its_neighbour_is_not() {
    let (origin, mut arrivals) = server(Some("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")).await;
    let egress = open(&[&origin]);
    let response = egress.send(get(&format!("{origin}/a?b=c")), LIMITS).await.unwrap();
    assert_eq!((response.status, response.body.as_ref()), (StatusCode::OK, b"hello".as_slice()));
    assert!(arrivals.recv().await.unwrap().starts_with("GET /a?b=c HTTP/1.1"));

    let (neighbour, mut arrivals) = server(Some("HTTP/1.1 200 OK\r\n\r\n")).await;
    assert_eq!(refusal(&egress, &neighbour).await, Some(Refusal::Scheme));
    assert_eq!(refusal(&egress, &neighbour.replace("http", "https")).await, Some(Refusal::Address));
    assert!(arrivals.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn addresses_are_refused_in_every_spelling() {
    let egress = open(&[]);
    for url in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.0.0.1./",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[fe80::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1:8443/",
    ] {
        assert_eq!(refusal(&egress, url).await, Some(Refusal::Address), "{url}");
    }
    assert_eq!(refusal(&egress, "http://example.com/").await, Some(Refusal::Scheme));
    assert_eq!(refusal(&egress, "ftp://example.com/").await, Some(Refusal::Scheme));
    assert_eq!(refusal(&egress, "https://user@example.com/").await, Some(Refusal::Credentials));
}

#[tokio::test]
async fn a_name_is_refused_when_any_of_its_addresses_is_private() {
    let cases: [&[&str]; 3] = [&["127.0.0.1:0"], &["93.184.215.14:0", "10.0.0.1:0"], &["[fd00::1]:0"]];
    for addresses in cases {
        let found: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let lookup: Lookup = Arc::new(move |_| {
            let found = found.clone();
            Box::pin(async move { Ok(found) })
        });
        let egress = Egress::with_lookup(&EgressConfig::default(), &lookup).unwrap();
        assert_eq!(refusal(&egress, "https://shop.example/").await, Some(Refusal::Address), "{addresses:?}");
    }
    assert_eq!(refusal(&open(&[]), "https://localhost/").await, Some(Refusal::Address));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (origin, mut arrivals) =
        server(Some("HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")).await;
    let response = open(&[&origin]).send(get(&origin), LIMITS).await.unwrap();
    assert_eq!(response.status, StatusCode::FOUND);
    assert!(arrivals.recv().await.is_some());
    assert!(arrivals.try_recv().is_err());
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit() {
    let just_fits = "HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n0123456789abcdef";
    let (origin, _arrivals) = server(Some(just_fits)).await;
    assert_eq!(open(&[&origin]).send(get(&origin), LIMITS).await.unwrap().body.len(), 16);
    let one_more = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n1\r\n!\r\n0\r\n\r\n";
    let (origin, _arrivals) = server(Some(one_more)).await;
    let error = open(&[&origin]).send(get(&origin), LIMITS).await.unwrap_err();
    assert!(matches!(error, EgressError::TooLarge { limit_bytes: 16 }) && error.may_have_arrived());
}

#[tokio::test]
async fn what_was_never_sent_is_told_from_what_may_have_been() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = open(&[&nobody]).send(get(&nobody), LIMITS).await.unwrap_err();
    assert!(matches!(error, EgressError::Connect(_)) && !error.may_have_arrived(), "{error:?}");

    for half in ["", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe"] {
        let (origin, mut arrivals) = server(Some(half)).await;
        let error = open(&[&origin]).send(get(&origin), LIMITS).await.unwrap_err();
        assert!(matches!(error, EgressError::Cut(_)) && error.may_have_arrived(), "{error:?}");
        assert!(arrivals.recv().await.is_some());
    }

    let (origin, _arrivals) = server(None).await;
    let hurried = Limits { timeout: Duration::from_millis(100), ..LIMITS };
    let error = open(&[&origin]).send(get(&origin), hurried).await.unwrap_err();
    assert!(matches!(error, EgressError::Timeout) && error.may_have_arrived(), "{error:?}");
}

#[tokio::test]
async fn an_error_does_not_show_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = open(&[&nobody]).send(get(&format!("{nobody}/?appsecret_proof=secret")), LIMITS).await.unwrap_err();
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

#[test]
fn an_entry_that_is_no_origin_is_refused_by_name() {
    for wrong in ["10.0.0.7", "http://10.0.0.7/path", "http://u:p@h", "data:x", "http://h?q", ""] {
        let config = EgressConfig { private_origins: vec![wrong.to_owned()], ..EgressConfig::default() };
        let error = Egress::new(&config).unwrap_err();
        assert!(matches!(&error, EgressSetupError::Origin(origin) if origin == wrong), "{wrong}: {error}");
    }
}
