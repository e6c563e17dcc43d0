package shop;

import javax.sql.DataSource;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.DefaultTransactionStatus;

/**
 * On a connection that has ended, the rollback fails as well. Its error would take the place of the
 * one that says why, and be logged beside it.
 */
@Component
class Transactions extends JdbcTransactionManager {
    private static final Logger log = LoggerFactory.getLogger(Transactions.class);

    Transactions(DataSource source) {
        super(source);
    }

    @Override
    protected void doRollback(DefaultTransactionStatus status) {
        try {
            super.doRollback(status);
        } catch (DataAccessException | TransactionException ended) {
            log.debug("no rollback", ended);
        }
    }
}
