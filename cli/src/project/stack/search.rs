//! What the template.yaml of a function that writes to OpenSearch has more: parameters, variables, and what the role may do there.

const PARAMETERS: &str = "  OpenSearchUrl:
    Type: String
    NoEcho: true
    Description: >-
      The server of the index: https://HOST. Without OpenSearchArn, it may have a user and a password.
    AllowedPattern: ^https?://[!-~]+$
    ConstraintDescription: has the form https://HOST

  OpenSearchArn:
    Type: String
    Default: \"\"
    Description: >-
      The domain of Amazon OpenSearch Service, arn:aws:es:REGION:ACCOUNT:domain/NAME, or the collection of OpenSearch
      Serverless, arn:aws:aoss:REGION:ACCOUNT:collection/ID, of type search, in this region. The role is allowed to write there, and
      requests are signed for it. What the role may do with an index, the domain's fine-grained access control or the
      collection's data access policy says besides. If empty, requests are not signed.
    AllowedPattern: ^(arn:aws[a-z-]*:(es:[a-z0-9-]+:\\d{12}:domain|aoss:[a-z0-9-]+:\\d{12}:collection)/[a-z0-9-]+)?$
    ConstraintDescription: >-
      has the form arn:aws:es:REGION:ACCOUNT:domain/NAME or arn:aws:aoss:REGION:ACCOUNT:collection/ID

";

const CONDITIONS: &str = "  HasSearchArn: !Not [!Equals [!Ref OpenSearchArn, \"\"]]
  # The third part of the ARN. The colons are for an empty one: it has a third part then, too.
  WritesToCollection: !Equals [!Select [2, !Split [\":\", !Join [\"\", [!Ref OpenSearchArn, \":::\"]]]], aoss]
";

const VARIABLES: &str = "          OPENSEARCH_URL: !Ref OpenSearchUrl
          OPENSEARCH_INDEX: !Ref OpenSearchIndex
          OPENSEARCH_SERVICE: !If [HasSearchArn, !If [WritesToCollection, aoss, es], none]
";

const POLICY: &str = "        - !If
          - HasSearchArn
          - PolicyName: Index
            PolicyDocument:
              Version: \"2012-10-17\"
              Statement:
                # A collection knows one action for all; its data access policy says which index, and what.
                - !If
                  - WritesToCollection
                  - Sid: WriteToTheCollection
                    Effect: Allow
                    Action: aoss:APIAccessAll
                    Resource: !Ref OpenSearchArn
                  - Sid: WriteToTheIndex
                    Effect: Allow
                    Action: es:ESHttpPost
                    Resource: !Sub ${OpenSearchArn}/${OpenSearchIndex}/_bulk
          - !Ref AWS::NoValue

";

/// Each place in this repository's template.yaml, and what stands there for a function that reads that topic: the index is called as the topic, in the letters that an index may have.
pub(super) fn edits(topic: &str) -> Vec<(&'static str, String)> {
    let index = format!(
        "  OpenSearchIndex:
    Type: String
    Default: \"{}\"
    Description: The index that takes the documents. Unless it is made by its first document, it has to exist.
    AllowedPattern: ^[a-z0-9.][a-z0-9._-]{{0,254}}$

",
        topic.to_ascii_lowercase()
    );
    let before = [
        (
            "  ConsumerGroup:\n    Type: String\n",
            format!("{PARAMETERS}{index}"),
        ),
        ("  HasConsumerGroup: !Not", CONDITIONS.to_owned()),
        (
            "          # The function takes the topic that the mapping reads.\n",
            VARIABLES.to_owned(),
        ),
        ("        - PolicyName: DeadLetters\n", POLICY.to_owned()),
    ];
    let edit = |(place, text): (&'static str, String)| (place, format!("{text}{place}"));
    before.into_iter().map(edit).collect()
}
