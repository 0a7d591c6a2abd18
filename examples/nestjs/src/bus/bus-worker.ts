import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common'
import { DiscoveryService } from '@nestjs/core'
import { type CommandBus, defineHandler, type Worker } from 'commandbus'
import { Handled } from './handles.js'
import { InjectBus } from './inject-bus.js'

/** A worker for each domain that providers with `@Handles` are for. It may as well run in a process without routes. */
@Injectable()
export class BusWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private workers: Worker[] = []

  constructor(
    @InjectBus() private readonly bus: CommandBus,
    private readonly discovery: DiscoveryService,
  ) {}

  async onApplicationBootstrap() {
    const domains: { [domain: string]: { [commandType: string]: ReturnType<typeof defineHandler> } } = {}
    for (const provider of this.discovery.getProviders({ metadataKey: Handled.KEY })) {
      const command = this.discovery.getMetadataByDecorator(Handled, provider)
      if (command === undefined) continue
      domains[command.domain] ??= {}
      domains[command.domain][command.commandType] = defineHandler({
        command,
        handle: (data, context) => provider.instance.handle(data, context),
      })
    }
    this.workers = Object.entries(domains).map(([domain, handlers]) => this.bus.worker({ domain, handlers }))
    await Promise.all(this.workers.map(worker => worker.start()))
  }

  /** Running handlers may end. */
  async onModuleDestroy() {
    await Promise.all(this.workers.map(worker => worker.stop()))
  }
}
