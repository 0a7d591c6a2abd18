import { Module } from '@nestjs/common'
import { DiscoveryModule } from '@nestjs/core'
import { BusModule } from './bus/bus.module.js'
import { BusWorker } from './bus/bus-worker.js'
import { ChargesModule } from './charges/charges.module.js'

/** The worker is here, in the module above all others: hooks of a stop run from here downwards, so it ends before what its handlers use. */
@Module({ imports: [DiscoveryModule, BusModule, ChargesModule], providers: [BusWorker] })
export class AppModule {}
