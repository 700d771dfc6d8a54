//! An authority of tests, and a server that speaks TLS in front of one that does not.

use std::net::TcpListener as Listener;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Runtime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Who certifies servers.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What a server of 127.0.0.1 shows, and its secret.
pub struct Certified {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

/// A TLS server of 127.0.0.1 that passes everything to another port. It ends when dropped.
pub struct TlsGate {
    port: u16,
    _threads: Runtime,
}

impl Authority {
    /// An authority that nobody knows yet.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("randomness");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            certificate: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Its own certificate, as a PEM file.
    pub fn pem(&self) -> &str {
        &self.certificate
    }

    /// Certifies a server of this name or address.
    pub fn certify(&self, name: &str) -> Certified {
        let key = KeyPair::generate().expect("randomness");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer);
        Certified {
            certificate: certificate.expect("a certificate"),
            key,
        }
    }
}

impl Certified {
    /// The certificate and its secret, as PEM files.
    pub fn pem(&self) -> (String, String) {
        (self.certificate.pem(), self.key.serialize_pem())
    }

    fn server(&self) -> ServerConfig {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).expect("a key");
        ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.der().clone()], key)
            .expect("they fit")
    }
}

impl TlsGate {
    /// Speaks TLS in front of a port of 127.0.0.1.
    pub fn new(server: u16, certified: &Certified) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(certified.server()));
        let listener = Listener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        listener.set_nonblocking(true).expect("a socket");
        let threads = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("threads");
        threads.spawn(accept(listener, acceptor, server));
        Self {
            port,
            _threads: threads,
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

async fn accept(listener: Listener, acceptor: TlsAcceptor, server: u16) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    loop {
        let (client, _) = listener.accept().await.expect("a listener accepts");
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A client may refuse the certificate, and either may leave at any time.
            let Ok(mut client) = acceptor.accept(client).await else {
                return;
            };
            let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else {
                return;
            };
            let _ = copy_bidirectional(&mut client, &mut server).await;
        });
    }
}
