import { Global, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import { type CommandBus, createCommandBus } from 'commandbus'
import { BusErrorFilter } from './bus-error.filter.js'
import { BUS, InjectBus } from './inject-bus.js'

const bus = { provide: BUS, useFactory: () => createCommandBus({ databaseUrl: process.env.DATABASE_URL ?? '' }) }

/** One bus for the process. It opens before requests are taken, and closes after the last one was answered. */
@Global()
@Module({ providers: [bus, { provide: APP_FILTER, useClass: BusErrorFilter }], exports: [BUS] })
export class BusModule implements OnModuleInit, OnApplicationShutdown {
  constructor(@InjectBus() private readonly bus: CommandBus) {}

  onModuleInit() {
    return this.bus.ready()
  }

  onApplicationShutdown() {
    return this.bus.close()
  }
}
