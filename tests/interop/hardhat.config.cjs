// A project with nothing in it: `hardhat node` wants one.
module.exports = {
    solidity: "0.8.28",
    networks: { hardhat: { chainId: Number(process.env.CHAIN_ID) } },
};
