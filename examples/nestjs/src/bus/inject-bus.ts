import { Inject } from '@nestjs/common'

export const BUS = Symbol('commandbus')

/** `constructor(@InjectBus() private readonly bus: CommandBus)`: the bus has an interface, and no class to ask for. */
export const InjectBus = () => Inject(BUS)
