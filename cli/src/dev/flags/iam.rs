//! `--iam`: the identity of AWS with which a cluster of Amazon MSK is read. Used by `connect`.

use msk_mapping::driver::Cluster;

use crate::fault::Fault;

/// Whose credentials sign.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Iam {
    /// Sign in with AWS credentials, as MSK's IAM authentication expects (port 9098). Needs a build with the feature iam.
    #[arg(long, requires = "bootstrap")]
    iam: bool,
    /// Region of the cluster. [default: that in the brokers' names, else the environment's]
    #[arg(long, value_name = "REGION", requires = "iam")]
    region: Option<String>,
    /// Profile of AWS's configuration files. [default: the environment's credentials]
    #[arg(long, value_name = "PROFILE", requires = "iam")]
    profile: Option<String>,
    /// Role to assume with these credentials.
    #[arg(long, value_name = "ARN", requires = "iam")]
    role_arn: Option<String>,
}

impl Iam {
    /// The cluster with this identity: as it is without `--iam`.
    pub(crate) async fn sign_in(&self, cluster: Cluster) -> Result<Cluster, Fault> {
        match self.iam {
            true => self.signed_in(cluster).await,
            false => Ok(cluster),
        }
    }

    #[cfg(not(feature = "iam"))]
    #[expect(clippy::unused_async, reason = "with the feature it waits")]
    async fn signed_in(&self, _: Cluster) -> Result<Cluster, Fault> {
        Err(Fault::new(
            "--iam needs the feature iam, which this build of cargo msk lacks",
        )
        .help("cargo install cargo-msk --features iam (in this repository: --path cli), with the other features that you use\nThat needs OpenSSL's headers (Debian: libssl-dev, Fedora: openssl-devel) and pkg-config."))
    }

    #[cfg(feature = "iam")]
    async fn signed_in(&self, cluster: Cluster) -> Result<Cluster, Fault> {
        let mut iam = msk_kafka::Iam::new();
        if let Some(region) = &self.region {
            iam = iam.region(region);
        }
        if let Some(profile) = &self.profile {
            iam = iam.profile(profile);
        }
        if let Some(role) = &self.role_arn {
            iam = iam.role_arn(role);
        }
        let started = iam.start(cluster.bootstrap()).await;
        let identity = started.map_err(|error| fault(&error))?;
        Ok(cluster.iam(identity))
    }
}

#[cfg(feature = "iam")]
fn fault(error: &msk_kafka::IamError) -> Fault {
    use msk_kafka::IamError;

    let fault = Fault::from_error(error);
    match error {
        IamError::NoRegion => fault.help("give --region, or set AWS_REGION"),
        IamError::NoCredentials { .. } => fault.help("sign in first (`aws sso login`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or give --profile; `aws sts get-caller-identity` tells who you are"),
        _ => fault,
    }
}
