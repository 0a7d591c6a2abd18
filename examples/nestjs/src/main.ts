import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { AppModule } from './app.module.js'

const main = async () => {
  const app = await NestFactory.create(AppModule)
  // without it no hook runs at SIGTERM: running handlers would be cut off, and their commands come back after their lease
  app.enableShutdownHooks()
  await app.listen(process.env.PORT ?? 3000)
  console.log(`listening on ${await app.getUrl()}`)
}
void main()
