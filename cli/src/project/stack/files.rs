//! What the template.yaml of a function that writes files has more: the bucket, a variable, and what the role may do with its files.

const PARAMETERS: &str = "  FilesBucket:
    Type: String
    Description: The bucket that takes the files, in this region. It has to exist.
    AllowedPattern: ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$
    ConstraintDescription: is the name of a bucket

  FilesPrefix:
    Type: String
    Default: files
    Description: What the names of the files begin with, without a slash at the end.
    AllowedPattern: ^[A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*$
    ConstraintDescription: has the form a/b

";

const VARIABLE: &str = "          FILES_S3: !Sub s3://${FilesBucket}/${FilesPrefix}\n";

const POLICY: &str = "        - PolicyName: Files
          PolicyDocument:
            Version: \"2012-10-17\"
            Statement:
              - Sid: WriteFilesAndCompareThem
                Effect: Allow
                Action: [s3:PutObject, s3:GetObject]
                Resource: !Sub arn:${AWS::Partition}:s3:::${FilesBucket}/${FilesPrefix}/*

";

/// Each with the place in this repository's template.yaml that it stands before.
pub(super) const INSERTS: [(&str, &str); 3] = [
    ("  ConsumerGroup:\n    Type: String\n", PARAMETERS),
    (
        "          # The function takes the topic that the mapping reads.\n",
        VARIABLE,
    ),
    ("        - PolicyName: DeadLetters\n", POLICY),
];
