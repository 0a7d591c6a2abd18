import { createRequire } from 'node:module'
import type * as serverFeaturesService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import type * as serverFeatures from '@eventstore/db-client/generated/serverfeatures_pb.js'
import type * as shared from '@eventstore/db-client/generated/shared_pb.js'
import type * as status from '@eventstore/db-client/generated/status_pb.js'
import type * as streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type * as streams from '@eventstore/db-client/generated/streams_pb.js'
import type * as grpcTypes from '@grpc/grpc-js'
import type * as any from 'google-protobuf/google/protobuf/any_pb.js'

/** The client's own descriptors and its own gRPC, so that the test double and the client use the same messages. */
const load = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'))
const generated = (name: string): unknown => load(`../generated/${name}_pb`)

export const grpc = load('@grpc/grpc-js') as typeof grpcTypes
export const { StreamsService } = generated('streams_grpc') as typeof streamsService
export const { ServerFeaturesService } = generated('serverfeatures_grpc') as typeof serverFeaturesService
export const streamsPb = generated('streams') as typeof streams
export const sharedPb = generated('shared') as typeof shared
export const featuresPb = generated('serverfeatures') as typeof serverFeatures
export const statusPb = generated('status') as typeof status
export const { Any } = load('google-protobuf/google/protobuf/any_pb') as typeof any

export type ReadCall = grpcTypes.ServerWritableStream<streams.ReadReq, streams.ReadResp>
export type AppendCall = grpcTypes.ServerReadableStream<streams.AppendReq, streams.AppendResp>
export type AppendAnswer = grpcTypes.sendUnaryData<streams.AppendResp>
export type BatchCall = grpcTypes.ServerDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>
export type FeaturesCall = grpcTypes.ServerUnaryCall<shared.Empty, serverFeatures.SupportedMethods>
export type FeaturesAnswer = grpcTypes.sendUnaryData<serverFeatures.SupportedMethods>
export type Server = grpcTypes.Server
export type ReadReq = streams.ReadReq
export type ReadResp = streams.ReadResp
export type BatchAppendReq = streams.BatchAppendReq
export type ProposedMessage = streams.AppendReq.ProposedMessage | streams.BatchAppendReq.ProposedMessage

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
export const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf8'))
