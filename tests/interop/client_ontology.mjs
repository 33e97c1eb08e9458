// ontology-ts-sdk, unmodified, against two listeners of one server:
// node client_ontology.mjs ONTOLOGY_URL ETHEREUM_HTTP_URL KEY KEY
// where the keys, in hex, own both tokens.

import { check, equal, failure, Inbox, load, ok, post, versionOf } from './checks.mjs'

const PACKAGE = 'ontology-ts-sdk'
const { Crypto, OntAssetTxBuilder, TransactionBuilder, WebsocketClient } = load(PACKAGE)
const [url, http, ...secrets] = process.argv.slice(2)
const [payer, friend] = secrets.map((secret) => {
  const key = new Crypto.PrivateKey(secret)
  return { key, address: Crypto.Address.fromPubKey(key.getPublicKey()) }
})
const payee = new Crypto.Address('77'.repeat(20))
const [ONT, ONG] = ['01', '02'].map((first) => first.padEnd(40, '0'))
const GAS = ['2500', '20000']
const FEE = 50_000_000
const GOVERNANCE = 'AFmseVrdL9f9oyCzZefL9tG6UbviEH9ugK'
const SUFFIX = 1_000_000_000n

// Each name of the class that was called.
const used = new Set()

/** Opens a connection that stays; the library closes after each request otherwise. */
function open() {
  const client = new WebsocketClient(url, false, false)
  return new Proxy(client, {
    get(target, name) {
      const member = target[name]
      if (typeof member !== 'function') return member
      used.add(name)
      return member.bind(target)
    },
  })
}

/** Returns the result of a request that has to succeed. */
async function told(request) {
  const { Error: code, Desc: text, Result: result } = await request
  equal([code, text], [0, 'SUCCESS'])
  return result
}

/** Signs a transaction and returns it as it is sent. */
function signed(transaction, ...others) {
  TransactionBuilder.signTransaction(transaction, payer.key)
  for (const { key } of others) TransactionBuilder.addSign(transaction, key)
  return transaction.serialize()
}

/** Makes a payment of the payer; V2 counts in the smaller units. */
function payment(token, amount, version = '') {
  const make = OntAssetTxBuilder[`makeTransferTx${version}`]
  return make(token, payer.address, payee, amount, ...GAS, payer.address)
}

/** Returns the hash as the node shows it. */
function hashOf(transaction) {
  return Buffer.from(transaction.getHash(), 'hex').reverse().toString('hex')
}

/** Returns what an account owns in the smaller units. */
async function owned(calls, address) {
  const { ont, ong } = await told(calls.getBalanceV2(address))
  return [BigInt(ont), BigInt(ong)]
}

/** Mines a block. */
const mine = () => post(http, 'evm_mine')

const calls = open()

await check('answers with one connection for each request', async () => {
  const once = new WebsocketClient(url)
  used.add('sendHeartBeat')
  const result = await told(once.sendHeartBeat())
  equal(result.ContractsFilter, null)
  equal(await told(new WebsocketClient(url).getNetworkId()), 3)
})

for (const [token, version, amount, coins] of [
  ['ONT', '', '5', [5n * SUFFIX, 0n]],
  ['ONG', '', '1500000000', [0n, 1_500_000_000n * SUFFIX]],
  ['ONT', 'V2', '1500000001', [1_500_000_001n, 0n]],
  ['ONG', 'V2', '1500000000000000001', [0n, 1_500_000_000_000_000_001n]],
]) {
  await check(`pays with ${token} ${version || 'V1'} and waits for the notice`, async () => {
    const before = [await owned(calls, payer.address), await owned(calls, payee)]
    const transaction = payment(token, amount, version)
    const raw = signed(transaction)
    const notice = await calls.sendRawTransaction(raw, false, true)
    equal([notice.Action, notice.Error, 'Id' in notice], ['Notify', 0, false])
    const { TxHash, State, GasConsumed, Notify } = notice.Result
    equal([TxHash, State, GasConsumed], [hashOf(transaction), 1, FEE])
    const [moved, fee] = Notify
    equal(moved.ContractAddress, token === 'ONT' ? ONT : ONG)
    equal(moved.States.slice(0, 3), ['transfer', payer.address.toBase58(), payee.toBase58()])
    const fraction = version ? coins[token === 'ONT' ? 0 : 1] % SUFFIX : 0n
    equal(moved.States.length, fraction ? 5 : 4)
    if (fraction) equal(BigInt(moved.States[4]), fraction)
    equal(fee.States, ['transfer', payer.address.toBase58(), GOVERNANCE, FEE])
    const after = [await owned(calls, payer.address), await owned(calls, payee)]
    equal(after[1], [before[1][0] + coins[0], before[1][1] + coins[1]])
    const paid = coins[1] + BigInt(FEE) * SUFFIX
    equal(after[0], [before[0][0] - coins[0], before[0][1] - paid])
    const wei = await post(http, 'eth_getBalance', `0x${payee.serialize()}`, 'latest')
    equal(BigInt(wei), after[1][1])
  })
}

await check('waits for notices again and again', async () => {
  const client = open()
  for (let turn = 0; turn < 20; turn += 1) {
    const transaction = payment('ONT', 1)
    const notice = await client.sendRawTransaction(signed(transaction), false, true)
    equal(notice.Result.TxHash, hashOf(transaction))
  }
  client.close()
})

await check('sends without waiting, and asks everything of it', async () => {
  const transaction = payment('ONT', 2)
  const raw = signed(transaction)
  const hash = await told(calls.sendRawTransaction(raw))
  equal(hash, hashOf(transaction))
  const height = await told(calls.getBlockHeightByTxHash(hash))
  equal(await told(calls.getBlockHeight()), height)
  const shown = await told(calls.getRawTransactionJson(hash))
  equal([shown.Hash, shown.Height, shown.TxType], [hash, height, 209])
  equal(await told(calls.getRawTransaction(hash)), raw)
  const blockHash = await told(calls.getBlockHash(height))
  const block = await told(calls.getBlockJson(height))
  equal([block.Hash, block.Transactions[0].Hash], [blockHash, hash])
  equal(await told(calls.getBlockJson(blockHash)), block)
  const bytes = await told(calls.getBlock(height))
  equal([bytes, bytes.length], [await told(calls.getBlock(blockHash)), 2 * block.Size])
  const hashes = await told(calls.getBlockTxsByHeight(height))
  equal(hashes, { Hash: blockHash, Height: height, Transactions: [hash] })
  const event = await told(calls.getSmartCodeEvent(hash))
  equal(await told(calls.getSmartCodeEvent(height)), [event])
  equal(event.TxHash, hash)
})

await check('reads accounts, contracts and the network', async () => {
  const { ont, ong, height } = await told(calls.getBalance(payer.address))
  ok(Number(ont) > 0 && Number(ong) > 0 && Number(height) > 0, `${ont} ${ong} ${height}`)
  const [scaled] = await owned(calls, payee)
  const stored = await told(calls.getStorage(ONT, payee.serialize()))
  const bytes = Buffer.from(stored, 'hex').reverse().toString('hex')
  equal(BigInt(`0x${bytes}`), scaled, 'a balance with a fraction is stored in smaller units')
  equal((await told(calls.getContractJson(ONT))).Name, 'ONT')
  ok((await told(calls.getContract(ONT))).length > 40, 'the contract has bytes')
  equal(await told(calls.getUnboundong(payer.address)), '0')
  equal(await told(calls.getGrantOng(payer.address)), '0')
  equal(await told(calls.getGasPrice()), { gasprice: 2500, height: Number(height) })
  equal(await told(calls.getNodeCount()), 1)
  equal(await told(calls.getNetworkId()), 3)
  equal(typeof (await told(calls.getVersion())), 'string')
  equal(await told(calls.getMempoolTxCount()), [0, 0])
})

await check('finds a transaction that waits', async () => {
  await post(http, 'evm_setAutomine', false)
  const transaction = payment('ONT', 3)
  const raw = signed(transaction)
  const hash = await told(calls.sendRawTransaction(raw))
  equal((await told(calls.getMempoolTxCount()))[0], 1)
  const { State, Raw } = await told(calls.getMempoolTxState(hash))
  equal([State.map((one) => [one.Type, one.ErrCode]), Raw], [[[0, 0], [1, 0]], raw])
  const again = await failure(calls.sendRawTransaction(raw))
  equal(JSON.parse(again.message).Error, 45003)
  await post(http, 'evm_setAutomine', true)
  await mine()
  equal((await calls.getMempoolTxState(hash)).Error, 44001)
})

await check('has its transactions executed without sending them', async () => {
  const query = OntAssetTxBuilder.makeQueryBalanceTx('ONT', payee)
  const { Result, Notify } = await told(calls.sendRawTransaction(query.serialize(), true))
  const whole = Number(BigInt(`0x${Buffer.from(Result, 'hex').reverse().toString('hex')}`))
  equal([whole, Notify], [Number((await told(calls.getBalance(payee))).ont), null])
  const before = await owned(calls, payee)
  const tried = await told(calls.sendRawTransaction(signed(payment('ONG', 5)), true))
  equal([tried.State, tried.Gas, tried.Result], [1, 20_000, '01'])
  equal(await owned(calls, payee), before)
  const refused = await failure(calls.sendRawTransaction(payment('ONT', 1).serialize(), true))
  equal(JSON.parse(refused.message).Error, 47001)
})

await check('lets a friend spend', async () => {
  const { address } = friend
  equal(await told(calls.getAllowance('ont', payer.address, address)), '0')
  equal(await told(calls.getAllowanceV2('ong', payer.address, address)), '0')
  const asked = OntAssetTxBuilder.makeQueryAllowanceTx('ONT', payer.address, address)
  const { Result } = await told(calls.sendRawTransaction(asked.serialize(), true))
  equal(Result, '')
})

await check("pays several at once at another's expense", async () => {
  const many = OntAssetTxBuilder.makeTransferToMany(
    'ONT', payer.address, [payee, friend.address], [1, 2], ...GAS,
  )
  many.payer = friend.address
  const notice = await calls.sendRawTransaction(signed(many, friend), false, true)
  const [first, second, fee] = notice.Result.Notify.map((one) => one.States)
  equal([first[3], second[3]].sort(), [1, 2])
  equal(fee[1], friend.address.toBase58())
})

await check('pays from an account of two keys', async () => {
  const keys = [payer, friend].map(({ key }) => key.getPublicKey())
  const both = Crypto.Address.fromMultiPubKeys(2, keys)
  for (const [token, amount] of [['ONT', 9], ['ONG', 2_000_000_000]]) {
    const make = OntAssetTxBuilder.makeTransferTx
    const transaction = make(token, payer.address, both, amount, ...GAS, payer.address)
    await calls.sendRawTransaction(signed(transaction), false, true)
  }
  const spend = OntAssetTxBuilder.makeTransferTx('ONT', both, payee, 4, ...GAS, both)
  TransactionBuilder.signTx(spend, 2, keys, payer.key)
  const alone = await failure(calls.sendRawTransaction(spend.serialize()))
  equal(JSON.parse(alone.message).Error, 45021)
  TransactionBuilder.signTx(spend, 2, keys, friend.key)
  const { Result } = await calls.sendRawTransaction(spend.serialize(), false, true)
  const [moved, fee] = Result.Notify.map((one) => one.States)
  equal(moved, ['transfer', both.toBase58(), payee.toBase58(), 4])
  equal(fee, ['transfer', both.toBase58(), GOVERNANCE, FEE])
  const { Sigs: [{ M, PubKeys, SigData }] } = await told(calls.getRawTransactionJson(Result.TxHash))
  equal([M, PubKeys.length, SigData.length], [2, 2, 2])
})

await check('verifies the proof of a payment', async () => {
  const { createHash } = await import('node:crypto')
  const transaction = payment('ONT', 1)
  await calls.sendRawTransaction(signed(transaction), false, true)
  await mine()
  const proof = await told(calls.getMerkleProof(hashOf(transaction)))
  const node = (left, right) =>
    createHash('sha256').update(Buffer.concat([Buffer.from([1]), left, right])).digest()
  const internal = (text) => Buffer.from(text, 'hex').reverse()
  let [index, last] = [proof.BlockHeight, proof.CurBlockHeight]
  let hash = internal(proof.TransactionsRoot)
  const steps = proof.TargetHashes.map(internal)
  for (; last > 0; index >>= 1, last >>= 1) {
    if (index % 2) hash = node(steps.shift(), hash)
    else if (index < last) hash = node(hash, steps.shift())
  }
  equal([steps.length, hash], [0, internal(proof.CurBlockRoot)])
  const tip = await told(calls.getBlockJson(proof.CurBlockHeight))
  equal(tip.Header.BlockRoot, proof.CurBlockRoot)
})

await check('follows everything', async () => {
  const following = open()
  const notices = new Inbox()
  const messages = new Inbox()
  const result = await told(following.sendSubscribe(true, true, true, true))
  equal(result, {
    ContractsFilter: null,
    SubscribeEvent: true,
    SubscribeJsonBlock: true,
    SubscribeRawBlock: true,
    SubscribeBlockTxHashs: true,
  })
  following.addNotifyListener(notices.push)
  following.sender.addListener(messages.push)
  const transaction = payment('ONT', 4)
  await told(calls.sendRawTransaction(signed(transaction)))
  equal((await notices.next()).Result.TxHash, hashOf(transaction))
  const seen = []
  for (let turn = 0; turn < 4; turn += 1) seen.push((await messages.next()).Action)
  equal(seen, ['Notify', 'sendrawblock', 'sendjsonblock', 'sendblocktxhashs'])
  await mine()
  for (const action of seen.slice(1)) equal((await messages.next()).Action, action)
  equal(notices.items.length, 0)
  following.close()
})

await check('offers nothing that was not used', async () => {
  const internal = new Set(['constructor', 'send', 'notifyListener'])
  const offered = Object.getOwnPropertyNames(WebsocketClient.prototype)
  equal(offered.filter((name) => !internal.has(name) && !used.has(name)), [])
})

calls.close()
console.log(JSON.stringify({ name: 'version', ok: true, detail: versionOf(PACKAGE) }))

process.exit(0)
