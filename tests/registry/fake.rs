//! Servers that answer what a real registry cannot be made to answer here: too many requests, no right, a proxy that refuses.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// A server on the loopback; it ends with the test process.
pub(crate) struct Fake {
    port: u16,
}

impl Fake {
    /// Answers every request by its head, of which the first line says what is asked for; the connection ends after each.
    pub(crate) fn answering(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        Self::serving(move |mut stream, request| {
            stream.write_all(answer(request).as_bytes()).ok();
        })
    }

    /// The same on a port that is known before.
    pub(crate) fn on(port: u16, answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        Self::accepting(listener, move |mut stream, request| {
            stream.write_all(answer(request).as_bytes()).ok();
        })
    }

    /// A proxy that leads every connection to `port`, whatever it is asked for.
    pub(crate) fn proxy_to(port: u16) -> Self {
        Self::serving(move |mut near, request| {
            assert!(request.starts_with("CONNECT "), "{request}");
            near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok();
            let far = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            let (mut near_in, mut far_out) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut near_in, &mut far_out));
            std::thread::spawn(move || std::io::copy(&mut &far, &mut near));
        })
    }

    fn serving(serve: impl Fn(TcpStream, &str) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Self::accepting(listener, serve)
    }

    fn accepting(listener: TcpListener, serve: impl Fn(TcpStream, &str) + Send + 'static) -> Self {
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut request = String::new();
                while reader.read_line(&mut request).is_ok_and(|count| count > 2) {}
                // TLS is refused, as a server does that speaks none.
                if request.contains(" HTTP/1.") {
                    serve(stream, &request);
                } else {
                    (&stream)
                        .write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                        .ok();
                }
            }
        });
        Self { port }
    }

    /// Returns its name in images.
    pub(crate) fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// Returns an answer as it goes over the wire.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
