// A flash sale as such services are usually written: the script decides in Redis, then the order goes to RabbitMQ, and
// the buyer is answered once RabbitMQ has confirmed it.
'use strict';

const cluster = require('node:cluster');
const fs = require('node:fs');

const { ADDRESS, REDIS_URL, AMQP_URL, SCRIPT, WORKERS } = process.env;
const QUEUE = 'node.orders';

async function serve() {
  const redis = new (require('ioredis').Redis)(REDIS_URL);
  redis.defineCommand('reserve', { numberOfKeys: 4, lua: fs.readFileSync(SCRIPT, 'utf8') });
  const broker = await require('amqplib').connect(AMQP_URL);
  const channel = await broker.createConfirmChannel();
  await channel.assertQueue(QUEUE, { durable: true });
  const publish = (order) =>
    new Promise((resolve, reject) => {
      const message = Buffer.from(JSON.stringify(order));
      channel.sendToQueue(QUEUE, message, { persistent: true }, (error) => (error ? reject(error) : resolve()));
    });

  const app = require('fastify').fastify();
  const body = {
    type: 'object',
    required: ['buyer'],
    additionalProperties: false,
    properties: { buyer: { type: 'string', minLength: 1, maxLength: 128 } },
  };
  app.post('/v1/sales/:sale/reservations', { schema: { body } }, async (request, reply) => {
    const { sale } = request.params;
    const { buyer } = request.body;
    const key = `lua:${sale}`;
    const [code, id, expires] = await redis.reserve(key, `${key}:buyers`, `${key}:holds`, `${key}:journal`, buyer, 1);
    if (code === 'REPLAYED') return { sale, reservation: id };
    if (code !== 'RESERVED') return reply.code(409).send({ type: code, title: 'Not enough units are available' });
    await publish({ sale, id, buyer, expires_at_ms: expires });
    return reply.code(201).send({ sale, id, state: 'held', expires_at_ms: expires });
  });
  const [host, port] = ADDRESS.split(':');
  await app.listen({ host, port: Number(port) });
}

if (cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', () => (++listening === Number(WORKERS) ? console.log('ready') : null));
  cluster.on('exit', () => process.exit(1));
  for (let at = 0; at < Number(WORKERS); at++) cluster.fork();
} else {
  serve();
}
