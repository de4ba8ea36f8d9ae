//! lambda-msk
