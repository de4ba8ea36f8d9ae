// A stack with what the guide's snippet names. `snippets.py` puts the snippet in.
import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { ManagedKafkaEventSource, S3OnFailureDestination } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Bucket } from 'aws-cdk-lib/aws-s3';

const app = new App({ outdir: process.env.OUT });
const stack = new Stack(app, 'shop');
const clusterArn = 'CLUSTER';
const bucket = new Bucket(stack, 'GivenUp');
const fn = new lambda.Function(stack, 'Function', {
  runtime: lambda.Runtime.PROVIDED_AL2023,
  architecture: lambda.Architecture.ARM_64,
  handler: 'bootstrap',
  code: lambda.Code.fromBucket(Bucket.fromBucketName(stack, 'Code', 'code'), 'code.zip'),
});
// SNIPPET
export const template = app.synth().getStackByName('shop').template;
