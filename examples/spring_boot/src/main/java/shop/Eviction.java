package shop;

import com.zaxxer.hikari.SQLExceptionOverride;
import java.sql.SQLException;

/** Replaces the pool's connections to a server that has been demoted. */
public class Eviction implements SQLExceptionOverride {
    @java.lang.Override
    public Override adjudicate(SQLException error) {
        return "25006".equals(error.getSQLState()) ? Override.MUST_EVICT : Override.CONTINUE_EVICT;
    }
}
