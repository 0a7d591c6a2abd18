import { Injectable } from '@nestjs/common'

/** Stands for what a handler needs of your application. */
@Injectable()
export class CardLimits {
  async limitOf(_card: string) {
    return 5000
  }
}
