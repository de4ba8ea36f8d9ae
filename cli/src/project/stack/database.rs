//! What the template.yaml of a function that writes to a database has more: its address, which holds a password: whoever may read the function's configuration sees it.

const PARAMETER: &str = "  DatabaseUrl:
    Type: String
    NoEcho: true
    Description: >-
      The database: postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, with the tables of schema.sql. The
      function's subnets must reach it.

";

const VARIABLE: &str = "          DATABASE_URL: !Ref DatabaseUrl\n";

/// Each with the place in this repository's template.yaml that it stands before.
pub(super) const INSERTS: [(&str, &str); 2] = [
    ("  ConsumerGroup:\n    Type: String\n", PARAMETER),
    (
        "          # The function takes the topic that the mapping reads.\n",
        VARIABLE,
    ),
];
